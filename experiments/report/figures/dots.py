"""Rows of one dot each, with an interval where there is one: for short lists that a table alone would hide."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from experiments.report.cells import decimals, is_number
from experiments.report.drawing import grid
from experiments.report.palette import Look

ROW_INCH = 0.2


@dataclass(frozen=True)
class Dot:
    """One row; ``label`` stands left of it, as it is."""

    label: str
    value: float | None
    look: Look
    low: float | None = None
    high: float | None = None


def draw_dots(axes: Axes, dots: Sequence[Dot], title: str, xlabel: str) -> None:
    """Draws one row for each dot; one without a value keeps its row and has a dash."""
    for place, dot in enumerate(dots):
        if is_number(dot.low) and is_number(dot.high):
            axes.plot([dot.low, dot.high], [place, place], color=dot.look.colour, linewidth=1.6)
        if is_number(dot.value):
            axes.plot(dot.value, place, dot.look.marker, color=dot.look.colour, markersize=5.5, clip_on=False)
        axes.annotate(
            decimals(dot.value, 2),
            (1.02, place),
            xycoords=("axes fraction", "data"),
            va="center",
            size=7,
            annotation_clip=False,
        )
    axes.set_yticks(range(len(dots)), [dot.label for dot in dots])
    axes.set_ylim(max(1, len(dots)) - 0.4, -0.6)
    axes.set_title(title)
    axes.set_xlabel(xlabel)
    grid(axes, "x")
