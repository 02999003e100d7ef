"""What models do at a site that took no part in their training."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from experiments.report.drawing import label, new_figure
from experiments.report.figures.dots import ROW_INCH, Dot, draw_dots
from experiments.report.palette import OTHER_COLOUR, Look

# A narrower axis would make small differences look large.
_LEAST_WIDTH = 0.2


def draw(results: Mapping, looks: Mapping[str, Look]) -> Figure:
    """A panel for each site that was left out, an arm and view a row.

    Args:
        results: ``left_out`` is used; at least one row must be there.
        looks: of every arm.
    """
    sites = list(dict.fromkeys(row["site"] for row in results["left_out"]))
    groups = [[row for row in results["left_out"] if row["site"] == site] for site in sites]
    figure = new_figure(sum(0.6 + ROW_INCH * len(rows) for rows in groups) + 0.2)
    all_axes = figure.subplots(len(sites), 1, sharex=True, squeeze=False, height_ratios=[len(rows) + 2 for rows in groups])
    for axes, site, rows in zip(all_axes.ravel(), sites, groups, strict=True):
        counts = sorted({row["num_patients"] for row in rows})
        title = f"patients of {label(site)}, n = {' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))}"
        draw_dots(axes, [_dot(row, looks) for row in rows], title, "Dice")
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, (low + high) / 2 - _LEAST_WIDTH / 2), max(high, (low + high) / 2 + _LEAST_WIDTH / 2))
    return figure


def _dot(row: Mapping, looks: Mapping[str, Look]) -> Dot:
    look = looks.get(row["arm"], Look(OTHER_COLOUR, "o"))
    return Dot(f"{label(row['arm'])} ({row['view']})", row["dice"], look, row["low"], row["high"])
