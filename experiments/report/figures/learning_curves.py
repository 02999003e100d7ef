"""How validation Dice grew with the rounds: a panel for each scheme, a line for each site, and the mean of the sites."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.report.cells import is_number
from experiments.report.drawing import DIM_COLOUR, grid, label, leave_empty, new_figure, spread
from experiments.report.palette import OTHER_COLOUR, Look
from experiments.results.learning_curves import MEAN_OF_SITES

_COLUMNS = 3
_PANEL_INCH = 1.9


def draw(results: Mapping, looks: Mapping[str, Look]) -> Figure:
    """Thin lines: a site's mean over the seeds; thick: the mean of the sites.

    Args:
        results: ``learning_curves`` is used.
        looks: of every arm; a scheme is drawn as its first arm.
    """
    curves = {scheme: site_curves(seeds) for scheme, seeds in results["learning_curves"].items()}
    first_arm = {arm["scheme"]: arm["name"] for arm in reversed(results["arms"])}
    lines = max(1, math.ceil(len(curves) / _COLUMNS))
    figure = new_figure(0.3 + _PANEL_INCH * lines)
    grid_axes = figure.subplots(lines, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    low, high = _range(curves)
    for axes, (scheme, sites) in zip(grid_axes.ravel(), curves.items(), strict=False):
        look = looks.get(first_arm.get(scheme), Look(OTHER_COLOUR, "o"))
        _panel(axes, sites, look.colour, (low, high))
        axes.set_title(f"{label(scheme)} ({_count(len(results['learning_curves'][scheme]), 'seed')})")
    leave_empty(grid_axes, len(curves))
    figure.supxlabel("round", size=8)
    figure.supylabel("mean validation Dice of a site", size=8)
    return figure


def site_curves(seeds: Mapping) -> dict[str, dict[int, float]]:
    """By site and round, the mean over the seeds that have a number."""
    found: dict[str, dict[int, list[float]]] = {}
    for sites in seeds.values():
        for site, points in sites.items():
            for number, dice in points:
                if is_number(dice):
                    found.setdefault(site, {}).setdefault(number, []).append(dice)
    return {site: {at: float(np.mean(found[site][at])) for at in sorted(found[site])} for site in sorted(found)}


def _panel(axes: Axes, sites: Mapping[str, Mapping[int, float]], colour: str, limits: tuple[float, float]) -> None:
    for site, points in sites.items():
        thin = {"linewidth": 0.8, "alpha": 0.55}
        axes.plot(list(points), list(points.values()), color=colour, **({"linewidth": 2.2} if site == MEAN_OF_SITES else thin))
    ends = {site: list(points.items())[-1] for site, points in sites.items() if site != MEAN_OF_SITES}
    least = 0.075 * (limits[1] - limits[0])
    places = spread([end[1] for end in ends.values()], least)
    places -= max(0.0, max([limits[1], *places]) - limits[1])
    for (site, (at, value)), place in zip(ends.items(), places, strict=True):
        axes.annotate(
            label(site), (at, value), xytext=(1.02, place), textcoords=("axes fraction", "data"), size=6, va="center",
            color=DIM_COLOUR, arrowprops={"arrowstyle": "-", "color": DIM_COLOUR, "linewidth": 0.4, "shrinkA": 0, "shrinkB": 0},
            annotation_clip=False,
        )  # fmt: skip
    axes.set_ylim(*limits)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    grid(axes, "both")


def _range(curves: Mapping) -> tuple[float, float]:
    values = [value for sites in curves.values() for points in sites.values() for value in points.values()]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return max(0.0, low - 0.03), min(1.0, high + 0.03)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
