"""What a conversion came to, on the terminal: about forty lines, however many patients there are."""

import sys
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from data_prep.conversion.grouping import Group
from data_prep.conversion.outcome import CaseOutcome
from data_prep.conversion.overview import Overview, StructureRow, overview_of
from data_prep.conversion.printable import printable, shortened, volume_text

WIDTH_WITHOUT_TERMINAL = 100
MOST_STRUCTURES = 20  # in two columns
MOST_NAMES = 5
MOST_REASONS = 3
# Two lines of a terminal of 100 letters, beside the count.
LONGEST_REASON = 160


def print_summary(outcomes: Sequence[CaseOutcome], *, report: Path | str | None = None, console: Console | None = None) -> None:
    """Prints counts, structures, undecided names and reasons; the rest is in the report.

    Args:
        outcomes: of all patients. May be empty.
        report: where the report lies, named in the last line.
        console: where to print; standard output by default, 100 letters wide when that is no terminal.
    """
    console = console or Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    overview = overview_of(outcomes)
    console.print(_answer(overview, len(outcomes)))
    if overview.structures:
        console.print(_structures(overview.structures))
    _print_names(console, overview)
    _print_groups(console, "Refused patients", overview.refused_patients)
    _print_groups(console, "Refused ROIs", overview.refused_rois)
    if overview.warnings:
        warned = len({case for group in overview.warnings for case in group.cases})
        console.print(Text(f"Warnings in {_count(warned, 'patient')}, {_count(len(overview.warnings), 'kind')} of them."))
    if report is not None:
        console.print(Text(f"Look at every patient in {report}", overflow="fold"), soft_wrap=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _answer(overview: Overview, num_patients: int) -> Text:
    if not num_patients:
        return Text("No patient was found in the export: check that --input is the folder that was exported to.", style="bold")
    converted = f"{len(overview.converted)} of {_count(num_patients, 'patient')} converted"
    return Text(converted + (f", {len(overview.refused)} refused" if overview.refused else ""), style="bold")


def _structures(rows: Sequence[StructureRow]) -> Table:
    """Structure, patients, median volume; in two blocks side by side when there are many."""
    shown = rows[:MOST_STRUCTURES]
    half = -(-len(shown) // 2) if len(shown) > MOST_STRUCTURES // 2 else len(shown)
    caption = f"and {_count(len(rows) - len(shown), 'more structure')}: see the report" if len(rows) > len(shown) else None
    table = Table(caption=caption, caption_justify="left")
    for _ in range(1 if half == len(shown) else 2):
        table.add_column("structure")
        table.add_column("patients", justify="right")
        table.add_column("median cm³", justify="right")
    for left, right in zip_longest(shown[:half], shown[half:]):
        table.add_row(*_cells(left), *(_cells(right) if right else ()))
    return table


def _cells(row: StructureRow) -> tuple[Text, str, str]:
    return Text(printable(row.name)), str(len(row.cases)), volume_text(row.median_cm3)


def _print_names(console: Console, overview: Overview) -> None:
    if not overview.undecided:
        return
    console.print(Text("Undecided names: give them a TG-263 name in names.csv, or leave them out there", style="bold"))
    grid = _grid(no_wrap=True)
    for name in overview.undecided[:MOST_NAMES]:
        grid.add_row(_count(len(name.cases), "patient"), Text(printable(name.spellings[0])))
    _end(console, grid, len(overview.undecided) - MOST_NAMES, "more name")


def _print_groups(console: Console, title: str, groups: Sequence[Group]) -> None:
    if not groups:
        return
    console.print(Text(title, style="bold"))
    grid = _grid()
    for group in groups[:MOST_REASONS]:
        reason = shortened(printable(group.text), LONGEST_REASON)
        grid.add_row(_count(len(group.cases), "patient"), Text(reason))
    _end(console, grid, len(groups) - MOST_REASONS, "more reason")


def _grid(*, no_wrap: bool = False) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="ellipsis" if no_wrap else "fold", no_wrap=no_wrap)
    return grid


def _end(console: Console, grid: Table, num_more: int, what: str) -> None:
    if num_more > 0:
        grid.add_row("", f"and {_count(num_more, what)}: see the report")
    console.print(grid)
