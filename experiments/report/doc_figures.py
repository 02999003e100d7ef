"""The main figures as files, small enough for the documentation."""

from collections.abc import Mapping
from pathlib import Path

from experiments.report.drawing import style, svg_bytes
from experiments.report.figures import bytes_against_dice, differences, learning_curves, structures
from experiments.report.palette import looks_of
from src.exchange.whole_file import write_whole

_FIGURES = {
    "differences.svg": (differences.draw, lambda results: results["primary"] or results["non_inferiority"]),
    "structures.svg": (structures.draw, lambda results: results["estimates"]["own_site"]),
    "bytes_against_dice.svg": (bytes_against_dice.draw, bytes_against_dice.points_of),
    "learning_curves.svg": (learning_curves.draw, lambda results: results["learning_curves"]),
}


def write_figures(results: Mapping, folder: Path) -> list[Path]:
    """Writes the figures that have something to show.

    Args:
        results: from ``experiments.results.collect``.
        folder: made if need be; figures of the same name are replaced.

    Returns:
        The files.
    """
    looks, written = looks_of(results), []
    for name, (draw, has_content) in _FIGURES.items():
        if has_content(results):
            with style():
                write_whole(folder / name, [svg_bytes(draw(results, looks))])
            written.append(folder / name)
    return written
