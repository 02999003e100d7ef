"""Whose model does well on whose patients: a map of model and patient site for every arm, on one scale."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle

from experiments.report.blocks import DASH
from experiments.report.drawing import LONGEST_LABEL, label, new_figure
from experiments.report.palette import Look

SHARED = "shared model"
SHARED_TITLE = "shared models (one row an arm)"
_COLUMNS = 3
_ROW_INCH = 0.27
_LONGEST_SITE = 14
_LONGEST_LEVEL = 7  # letters of a site that fit side by side
_COLOURS = "cividis"


def draw(results: Mapping, looks: Mapping[str, Look]) -> Figure:
    """Above, the shared models, an arm a row; below, a panel for each arm with a model per site.

    Args:
        results: ``heat_maps`` is used; at least one must be there.
        looks: of every arm, in the order of rows and panels.
    """
    panels = panels_of(results, looks)
    groups = [(group, columns) for group, columns in ((panels[:1], 1), (panels[1:], _COLUMNS)) if group]
    if panels[0]["title"] != SHARED_TITLE:
        groups = [(panels, _COLUMNS)]
    heights = [sum(_line_heights(group, columns)) for group, columns in groups]
    figure, scale = new_figure(sum(heights) + 0.65), _scale(panels)
    parts = figure.subfigures(len(groups) + 1, 1, height_ratios=[*heights, 0.65], squeeze=False).ravel()
    for part, (group, columns) in zip(parts, groups, strict=False):
        _group(part, group, columns, scale)
    bar = parts[-1].subplots()
    bar.set_box_aspect(0.03)
    parts[-1].colorbar(ScalarMappable(scale, _COLOURS), cax=bar, orientation="horizontal", label="mean Dice")
    return figure


def panels_of(results: Mapping, looks: Mapping[str, Look]) -> list[dict]:
    """The maps to draw: ``title``, ``names`` of the rows, ``sites`` of the columns, ``dice`` and ``counts`` as float arrays."""
    maps = {arm: results["heat_maps"][arm] for arm in looks if arm in results["heat_maps"]}
    shared = {arm["name"]: maps[arm["name"]] for arm in results["arms"] if arm["shared"] and arm["name"] in maps}
    panels = []
    if shared:
        sites = next(iter(shared.values()))["patient_sites"]
        alike = {arm: one for arm, one in shared.items() if one["patient_sites"] == sites}
        panels.append(_panel_of(SHARED_TITLE, list(alike), sites, [one["dice"][0] for one in alike.values()],
                                [one["num_patients"][0] for one in alike.values()]))  # fmt: skip
        maps = {arm: one for arm, one in maps.items() if arm not in alike}
    return panels + [
        _panel_of(
            arm, [model or SHARED for model in one["model_sites"]], one["patient_sites"], one["dice"], one["num_patients"]
        )
        for arm, one in maps.items()
    ]


def _panel_of(title: str, names: list[str], sites: list[str], dice: list, counts: list) -> dict:
    shape = len(names), len(sites)
    return {
        "title": title,
        "names": names,
        "sites": list(sites),
        "dice": np.array(dice, float).reshape(shape),
        "counts": np.array(counts, float).reshape(shape),
    }


def _scale(panels: list[dict]) -> Normalize:
    values = np.concatenate([panel["dice"].ravel() for panel in panels])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    return Normalize(math.floor(low * 20) / 20, max(math.ceil(high * 20) / 20, math.floor(low * 20) / 20 + 0.05))


def _line_heights(panels: list[dict], columns: int) -> list[float]:
    """The height in inches of each line of panels."""
    lines = [panels[at : at + columns] for at in range(0, len(panels), columns)]
    return [0.9 + _ROW_INCH * max(len(panel["names"]) for panel in line) for line in lines]


def _group(part: SubFigure, panels: list[dict], columns: int, scale: Normalize) -> None:
    heights = _line_heights(panels, columns)
    all_axes = part.subplots(len(heights), columns, squeeze=False, height_ratios=heights).ravel()
    for axes, panel in zip(all_axes, panels, strict=False):
        _panel(axes, panel, scale)
    for axes in all_axes[len(panels) :]:
        axes.set_axis_off()


def _panel(axes: Axes, panel: Mapping, scale: Normalize) -> None:
    dice, counts = panel["dice"], panel["counts"]
    axes.imshow(np.ma.masked_invalid(dice), cmap=_COLOURS, norm=scale, aspect="auto")
    for row, column in np.ndindex(dice.shape):
        known = math.isfinite(dice[row, column])
        shade = "white" if known and scale(dice[row, column]) < 0.55 else "black"
        axes.text(column, row, f"{dice[row, column]:.2f}" if known else DASH, ha="center", va="center", color=shade, size=6.5)
        if panel["names"][row] == panel["sites"][column]:
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#D55E00", linewidth=1.6))
    axes.set_title(label(panel["title"]))
    wide = panel["title"] == SHARED_TITLE
    axes.set_xticks(range(len(panel["sites"])), [_column_label(site, counts[:, at]) for at, site in enumerate(panel["sites"])])
    axes.set_yticks(
        range(len(panel["names"])), [label(name, LONGEST_LABEL if wide else _LONGEST_SITE) for name in panel["names"]]
    )
    axes.tick_params(length=0, labelsize=6.5)
    if not wide and max(map(len, panel["sites"]), default=0) > _LONGEST_LEVEL:
        axes.tick_params(axis="x", rotation=90)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("patients of", size=7.5)
    if not wide:
        axes.set_ylabel("model of", size=7.5)


def _column_label(site: str, counts) -> str:
    known = counts[np.isfinite(counts)].astype(int)
    number = DASH if not len(known) else f"{known.min()}" if known.min() == known.max() else f"{known.min()}–{known.max()}"
    return f"{label(site, _LONGEST_SITE)}\nn={number}"
