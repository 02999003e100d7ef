"""What an arm sends and receives against how good it is."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogFormatter

from experiments.federation.traffic import BYTES_PER_MB
from experiments.report.cells import is_number
from experiments.report.drawing import DIM_COLOUR, grid, label, new_figure, spread
from experiments.report.palette import Look
from experiments.report.sections.find import find


def draw(results: Mapping, looks: Mapping[str, Look]) -> Figure:
    """A mark for each arm with bytes and a Dice; those that send nothing stand left of the broken axis.

    Args:
        results: ``costs`` and ``estimates.own_site`` are used.
        looks: of every arm.
    """
    points = points_of(results)
    figure = new_figure(3.6)
    none, some = figure.subplots(1, 2, sharey=True, width_ratios=[1, 5])
    for axes, chosen in ((none, {arm: at for arm, at in points.items() if not at[0]}), (some, points)):
        for arm, (megabytes, row) in chosen.items():
            if bool(megabytes) is (axes is some):
                _mark(axes, arm, megabytes if axes is some else 0.0, row, looks[arm])
    none.set_xlim(-1, 1)
    none.set_xticks([0], ["no model sent"])
    some.set_xscale("log")
    some.xaxis.set_major_formatter(FuncFormatter(lambda megabytes, _: f"{megabytes:g}"))
    some.xaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
    _pad(some, [at[0] for at in points.values() if at[0]])
    some.spines["left"].set_visible(False)
    some.tick_params(axis="y", length=0)
    some.set_xlabel("sent and received by all sites together, MB (logarithmic)")
    none.set_ylabel("mean Dice, own patients")
    figure.canvas.draw()  # labels are placed beside marks whose place in the picture must be known
    _labels(none, {arm: (0.0, at[1]["value"]) for arm, at in points.items() if not at[0]}, looks)
    _labels(some, {arm: (at[0], at[1]["value"]) for arm, at in points.items() if at[0]}, looks)
    grid(none, "y")
    grid(some, "both")
    return figure


def points_of(results: Mapping) -> dict[str, tuple[float, Mapping]]:
    """By arm, megabytes of all sites (0 where no models travel) and the Dice estimate."""
    found = {}
    for cost in results["costs"]:
        row = find(results["estimates"]["own_site"], cost["arm"])
        if row and is_number(row["value"]):
            total = cost["total"]
            found[cost["arm"]] = ((total["sent_bytes"] or 0) + (total["received_bytes"] or 0)) / BYTES_PER_MB, row
    return found


def _mark(axes: Axes, arm: str, x: float, row: Mapping, look: Look) -> None:
    if is_number(row["low"]) and is_number(row["high"]):
        axes.plot([x, x], [row["low"], row["high"]], color=look.colour, linewidth=1.0, alpha=0.5)
    axes.plot(x, row["value"], look.marker, color=look.colour, markersize=6.5, markeredgecolor="white", markeredgewidth=0.5)


def _pad(axes: Axes, megabytes: list[float]) -> None:
    if megabytes:
        axes.set_xlim(min(megabytes) / 1.25, max(megabytes) * 2.2)


def _labels(axes: Axes, marks: Mapping[str, tuple[float, float]], looks: Mapping[str, Look]) -> None:
    low, high = axes.get_ylim()
    # Marks that stand close to each other share one column of labels.
    for names in _columns(axes, marks):
        places = spread([marks[name][1] for name in names], 0.05 * (high - low))
        for name, place in zip(names, places, strict=True):
            axes.annotate(
                label(name), marks[name], xytext=(9, (place - marks[name][1]) * _points_per_unit(axes)),
                textcoords="offset points", va="center", size=6.5, color="#222222", annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": DIM_COLOUR, "linewidth": 0.4, "shrinkA": 0, "shrinkB": 3},
            )  # fmt: skip


def _columns(axes: Axes, marks: Mapping[str, tuple[float, float]]) -> list[list[str]]:
    names = sorted(marks, key=lambda name: marks[name][0])
    pixels = [float(axes.transData.transform((marks[name][0], 0.5))[0]) for name in names]
    columns: list[list[str]] = []
    for name, gap in zip(names, np.diff(pixels, prepend=-np.inf), strict=True):
        if gap > 0.8 * axes.figure.dpi or not columns:
            columns.append([])
        columns[-1].append(name)
    return columns


def _points_per_unit(axes: Axes) -> float:
    low, high = axes.transData.transform([(1, 0.0), (1, 1.0)])[:, 1]
    return float(high - low) * 72 / axes.figure.dpi
