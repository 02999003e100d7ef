"""Dice of every arm on every structure: means with intervals, single patients faint behind them."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.report.cells import is_number
from experiments.report.drawing import grid, label, leave_empty, new_figure
from experiments.report.palette import Look

_COLUMNS = 3
_ROW_INCH = 0.185
# What lies further below the means is drawn at the edge: a wide axis would hide the differences that the figure is about.
_REACH = 0.28


def draw(results: Mapping, looks: Mapping[str, Look]) -> Figure:
    """One panel for all structures together and one for each, an arm a row.

    Args:
        results: ``estimates.own_site`` and ``patients`` are used.
        looks: of every arm, in the order of the rows.
    """
    found = estimates_by_structure(results)
    structures = [name for name in found if name is not None]
    panels = [*([None] if None in found else []), *structures]
    arms = [arm for arm in looks if any(arm in rows for rows in found.values())]
    lines = max(1, math.ceil(len(panels) / _COLUMNS))
    figure = new_figure(lines * (0.62 + _ROW_INCH * max(3, len(arms))))
    grid_axes = figure.subplots(lines, _COLUMNS, sharey=True, squeeze=False)
    patients = dice_of_patients(results)
    for axes, structure in zip(grid_axes.ravel(), panels, strict=False):
        _panel(axes, structure, arms, found[structure], patients, looks)
    leave_empty(grid_axes, len(panels))
    return figure


def estimates_by_structure(results: Mapping) -> dict[str | None, dict[str, Mapping]]:
    """The macro estimates over all sites by structure and arm; None is all structures together."""
    found: dict = defaultdict(dict)
    for row in results["estimates"]["own_site"]:
        if row["site"] is None and row["weighting"] == "macro":
            found[row["structure"]][row["scheme"]] = row
    return dict(found)


def dice_of_patients(results: Mapping) -> dict[tuple[str, str | None], list[float]]:
    """Each patient's Dice by arm and structure; under None each patient's mean over the structures with a number."""
    found, together = defaultdict(list), defaultdict(list)
    for row in results["patients"]:
        if is_number(row["dice"]):
            found[row["arm"], row["structure"]].append(row["dice"])
            together[row["arm"], row["patient_site"], row["patient"]].append(row["dice"])
    for (arm, *_), values in together.items():
        found[arm, None].append(float(np.mean(values)))
    return dict(found)


def _panel(axes: Axes, structure, arms: Sequence[str], rows: Mapping, patients: Mapping, looks: Mapping[str, Look]) -> None:
    values = [row["value"] for row in rows.values() if is_number(row["value"])]
    left = max(0.0, min(values, default=0.5) - _REACH)
    for place, arm in enumerate(arms):
        look, single = looks[arm], np.array(patients.get((arm, structure), []))
        offset = 0.22 * np.sin(np.arange(len(single)) * 2.4)  # apart, and the same every time
        inside = single >= left
        axes.scatter(single[inside], place + offset[inside], s=5, color=look.colour, alpha=0.2, linewidths=0, rasterized=True)
        axes.scatter(
            np.full((~inside).sum(), left), place + offset[~inside], s=9, marker="<", color=look.colour, alpha=0.4,
            linewidths=0, rasterized=True, clip_on=False,
        )  # fmt: skip
        if row := rows.get(arm):
            _mean(axes, place, row, look)
    counts = {row["counts"]["num_patients"] for row in rows.values()}
    number = f"{min(counts)}" if len(counts) == 1 else f"{min(counts, default=0)} to {max(counts, default=0)}"
    axes.set_title(f"{'All structures' if structure is None else label(structure)}, n = {number}")
    axes.set_xlim(left, 1.0)
    axes.set_ylim(max(1, len(arms)) - 0.4, -0.6)
    axes.set_yticks(range(len(arms)), [label(arm) for arm in arms])
    axes.set_xlabel("Dice")
    grid(axes, "x")


def _mean(axes: Axes, place: int, row: Mapping, look: Look) -> None:
    if is_number(row["low"]) and is_number(row["high"]):
        axes.plot([row["low"], row["high"]], [place, place], color=look.colour, linewidth=1.6)
    if is_number(row["value"]):
        axes.plot(
            row["value"],
            place,
            look.marker,
            color=look.colour,
            markersize=5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            clip_on=False,
        )
