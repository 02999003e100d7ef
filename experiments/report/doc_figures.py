"""The main figures as files, small enough for the documentation."""

from collections.abc import Mapping
from pathlib import Path

from experiments.report.drawing import style, svg_bytes
from experiments.report.figures import bytes_against_dice, differences, learning_curves, structures
from experiments.report.palette import looks_of

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
    folder.mkdir(parents=True, exist_ok=True)
    looks, written = looks_of(results), []
    for name, (draw, has_content) in _FIGURES.items():
        if has_content(results):
            partial = folder / f".{name}.partial"
            with style():
                partial.write_bytes(svg_bytes(draw(results, looks)))
            written.append(partial.replace(folder / name))
    return written
