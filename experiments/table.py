"""The table of Dice per structure and site that every command here ends with."""

import io
import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from rich.console import Console
from rich.table import Table

_WIDEST = 500
_GAP = "   "

Scores = Mapping[str, Mapping[str, tuple[float | None, int]]]


def dice_table(title: str, scores: Scores) -> Table:
    """Structures down, sites across, and last the mean over the sites that have a value.

    Args:
        title: what stands above it.
        scores: per site and structure the mean Dice and the number of cases behind it. None, or no entry, means there is no
            value and is shown as ``-``, never as 0.
    """
    structures = list(dict.fromkeys(name for by_structure in scores.values() for name in by_structure))
    table = Table(title=title, title_justify="left")
    table.add_column("structure")
    for site in scores:
        table.add_column(f"{site} (cases)", justify="right")
    table.add_column("mean of sites", justify="right")
    for structure in structures:
        cells = [by_structure.get(structure, (None, 0)) for by_structure in scores.values()]
        table.add_row(structure, *map(_cell, cells), _number(mean_of([value for value, _ in cells])))
    table.add_section()
    means = [mean_of([value for value, _ in by_structure.values()]) for by_structure in scores.values()]
    table.add_row("mean of structures", *map(_number, means), _number(mean_of(means)))
    return table


def mean_of(values: list[float | None]) -> float | None:
    """Mean of the values that are there; None when none is."""
    present = [value for value in values if value is not None]
    return math.fsum(present) / len(present) if present else None


def beside(tables: Sequence[Table], width: int) -> str:
    """Tables as plain text next to each other, or below each other where they do not fit.

    Args:
        tables: at least one.
        width: characters there are.
    """
    texts = [render(table).splitlines() for table in tables]
    widths = [max(map(len, lines)) for lines in texts]
    if sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        return "\n".join("\n".join(lines) + "\n" for lines in texts)
    rows = zip_longest(*texts, fillvalue="")
    padded = (_GAP.join(line.ljust(size) for line, size in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in padded) + "\n"


def render(table: Table) -> str:
    """A table as plain text, as wide as it needs to be."""
    console = Console(file=io.StringIO(), width=_WIDEST)
    console.print(table)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def _cell(cell: tuple[float | None, int]) -> str:
    value, cases = cell
    return "-" if value is None else f"{value:.3f} ({cases})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
