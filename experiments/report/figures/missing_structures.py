"""What a site's own model makes of structures that the site never drew, on the other sites' patients."""

import math
from collections.abc import Mapping

from matplotlib.figure import Figure

from experiments.report.drawing import label, leave_empty, new_figure
from experiments.report.figures.dots import ROW_INCH, Dot, draw_dots
from experiments.report.palette import OTHER_COLOUR, Look

_COLUMNS = 3


def draw(results: Mapping, looks: Mapping[str, Look]) -> Figure:
    """A panel for each site and structure, an arm a row.

    Args:
        results: ``missing_structures`` is used.
        looks: of every arm.
    """
    rows = results["missing_structures"]
    panels = list(dict.fromkeys((row["site"], row["structure"]) for row in rows))
    arms = [arm for arm in looks if any(row["arm"] == arm for row in rows)]
    lines = max(1, math.ceil(len(panels) / _COLUMNS))
    figure = new_figure(lines * (0.65 + ROW_INCH * max(2, len(arms))))
    grid_axes = figure.subplots(lines, _COLUMNS, sharey=True, sharex=True, squeeze=False)
    for axes, (site, structure) in zip(grid_axes.ravel(), panels, strict=False):
        here = {row["arm"]: row for row in rows if (row["site"], row["structure"]) == (site, structure)}
        dots = [Dot(label(arm), here.get(arm, {}).get("dice"), looks.get(arm, Look(OTHER_COLOUR, "o"))) for arm in arms]
        counts = sorted({row["num_patients"] for row in here.values() if row["dice"] is not None}) or [0]
        number = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        draw_dots(axes, dots, f"{label(structure)}, never drawn\nat {label(site)} (n = {number})", "Dice")
        axes.set_xlim(0, 1)
    leave_empty(grid_axes, len(panels))
    return figure
