"""A figure as a block of a section."""

from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from experiments.report.blocks import Picture
from experiments.report.drawing import style, svg_uri
from experiments.report.palette import Look


def drawn(
    draw: Callable[[Mapping, Mapping[str, Look]], Figure],
    results: Mapping,
    looks: Mapping[str, Look],
    *,
    alt: str,
    caption: str,
) -> Picture:
    """Draws a figure and embeds it.

    Args:
        draw: of a module of ``figures``.
        results, looks: what it draws.
        alt: what is to be seen, for those who do not see it.
        caption: below it.
    """
    with style():
        return Picture(uri=svg_uri(draw(results, looks)), alt=alt, caption=caption)
