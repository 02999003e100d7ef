"""``names``: every ROI name of an export with its TG-263 name, and a names.csv ready to be edited.

The file is what ``convert`` and this command take at ``--names``. In a row, an empty ``tg263`` leaves the name out; ``?`` says
that nobody has decided yet, and then the name stays open, as if the row were not there.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from data_prep.conversion.printable import printable
from data_prep.naming.decision import NameDecision
from data_prep.naming.names_file import read_names
from data_prep.naming.survey import SurveyedName, survey_names
from src.data.structures import ANATOMIES
from src.dicom.export import scan_export
from src.errors import DatasetError

COLUMNS = ("native", "tg263", "confidence", "patients", "why")
_STYLES = {"ambiguous": "bold red", "suggestion": "bold yellow", "unknown": "bold yellow", "rewritten": "cyan"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("--input", type=Path, required=True, help="folder of the export; its file names do not matter")
    parser.add_argument("--anatomy", choices=ANATOMIES, required=True)
    parser.add_argument("--names", type=Path, help="an earlier names.csv; what it decides goes before everything else")
    parser.add_argument("--output", type=Path, help="names.csv to write: decide every '?', empty 'tg263' leaves one out")


def run(arguments: argparse.Namespace) -> int:
    """Lists the names; 0 when every file that may be an RTSTRUCT could be read."""
    if arguments.output and arguments.output.exists():  # told before minutes of reading
        raise _existing(arguments.output)
    names = read_names(arguments.names)
    survey = survey_names(scan_export(arguments.input), arguments.anatomy, names)
    if not survey.names and not survey.unreadable:
        raise DatasetError("expected an RTSTRUCT with contours in the folder at --input, found none; check the path")
    _print_names(survey.names)
    if survey.without_contours:
        print("without contours, so not listed:", ", ".join(map(printable, survey.without_contours)))
    if arguments.output and survey.names:
        write_names(arguments.output, survey.names)
        print(f"written to {arguments.output.name}: put a TG-263 name, or nothing to leave it out, in place of every '?'")
    for item in survey.unreadable:
        print(f"{item.file.label}: {item.why}; if it is an RTSTRUCT, its names are missing above")
    if survey.unreadable:
        print("which file that is stands in files.csv of the private folder that 'convert' makes")
    return int(bool(survey.unreadable))


def write_names(path: Path, rows: Sequence[SurveyedName]) -> None:
    """Writes a names.csv that decides what is decided and leaves open what is open; with the mark by which Excel knows UTF-8.

    Raises:
        DatasetError: there is a file of that name.
    """
    try:
        with path.open("x", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for row in rows:
                decision = row.decision
                writer.writerow([decision.native, row.written, decision.confidence, row.patients, _reason(decision)])
    except FileExistsError:
        raise _existing(path) from None


def _existing(path: Path) -> DatasetError:
    return DatasetError(f"expected no file at --output, found '{path.name}', which stays as it is; choose another name")


def _reason(decision: NameDecision) -> str:
    return f"{decision.why}: {' or '.join(decision.suggested)}?" if decision.suggested else decision.why


def _print_names(rows: Sequence[SurveyedName]) -> None:
    num_open = sum(row.decision.open for row in rows)
    title = f"{len(rows)} names, {num_open} to decide" if num_open else f"{len(rows)} names, all decided"
    table = Table("name", "patients", "TG-263", "confidence", "why", title=title, title_justify="left")
    table.columns[1].justify = "right"
    for row in rows:
        decision = row.decision
        shown = decision.structure or ("?" if decision.open else "left out")
        cells = (printable(decision.native), str(row.patients), shown, decision.confidence, printable(_reason(decision)))
        # Text, not str: a name may hold what the table would take for markup.
        table.add_row(*map(Text, cells), style=_STYLES.get(decision.confidence))
    Console().print(table)
