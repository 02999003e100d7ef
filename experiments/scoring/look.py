"""Looks at the test patients: each is a row of docs/results.md before the first of them is read, and allows each run once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from experiments.federation.template import REPOSITORY
from experiments.scoring.registration_error import RegistrationError
from experiments.whole_text import write_whole

RESULTS = REPOSITORY / "docs" / "results.md"
HEADING = "## Looks at the test patients"
_COLUMNS = ["date", "run", "model", "why"]


@dataclass(kw_only=True)
class Look:
    """One row of the table; made by ``log_look`` alone, and ``part_of`` one.

    Attributes:
        runs: the run folders whose test scores it allows and that have not used it yet.
    """

    runs: set[Path] = field(default_factory=set)


def log_look(
    *,
    study: str,
    runs: Sequence[Path],
    arms: Sequence[str],
    models: int,
    registration: str,
    commit: str | None,
    reason: str,
    results: Path = RESULTS,
) -> Look:
    """Adds a row to the table of looks; the file is replaced as a whole.

    Args:
        study: its name.
        runs: the training runs that are to be scored.
        arms: what of the study they are.
        models: how many saved models.
        registration: digest of the study's registration.
        commit: of the code; None outside a clone.
        reason: why, in a few words.
        results: the file with the table.

    Returns:
        What ``score_training_run`` asks for.

    Raises:
        RegistrationError: the file has no such table, or there is nothing to score or no reason.
    """
    if not runs or not reason.strip():
        raise RegistrationError(f"expected runs to score and a reason to look, found {len(runs)} runs and '{reason}'; say why")
    which = f"{models} models of {len(runs)} runs: {', '.join(sorted(set(arms)))}"
    why = f"{reason}; registered as {registration[:12]}, commit {commit[:12] if commit else 'none'}"
    row = "| " + " | ".join(_cell(text) for text in (date.today().isoformat(), study, which, why)) + " |"
    text = results.read_text(encoding="utf-8") if results.is_file() else ""
    write_whole(results, _with_row(text, row, results.name))
    return Look(runs={run.resolve() for run in runs})


def check_look(look: Look | None, run_folder: Path) -> None:
    """Uses up what a look allows; a run is scored once per row of the table.

    Raises:
        RegistrationError: there is no look, it is not for this run, or the run has used it.
    """
    if look is None:
        raise RegistrationError(
            f"expected a logged look for the test patients of '{run_folder.name}', found none; they are scored by"
            " `make report FINAL=1` alone"
        )
    if run_folder.resolve() not in look.runs:
        raise RegistrationError(
            f"expected a look that allows '{run_folder.parent.name}/{run_folder.name}', found one for others or used up; log"
            " another with `make report FINAL=1`"
        )
    look.runs.remove(run_folder.resolve())


def part_of(look: Look | None, run_folder: Path) -> Look | None:
    """The part of a look that another process uses for one run; raises as ``check_look``."""
    if look is None:
        return None
    check_look(look, run_folder)
    return Look(runs={run_folder.resolve()})


def _with_row(text: str, row: str, name: str) -> str:
    lines = text.splitlines()
    if lines.count(HEADING) != 1:
        raise _no_table(name, f"{lines.count(HEADING)} such headings")
    begin = lines.index(HEADING) + 1
    while begin < len(lines) and not lines[begin].strip():
        begin += 1
    end = begin
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    if end - begin < 2 or _cells(lines[begin]) != _COLUMNS:
        raise _no_table(name, f"'{lines[begin] if begin < len(lines) else ''}' below it")
    return "\n".join([*lines[:end], row, *lines[end:]]) + "\n"


def _no_table(name: str, found: str) -> RegistrationError:
    return RegistrationError(
        f"expected '{HEADING}' once in docs/{name} with a table | {' | '.join(_COLUMNS)} |, found {found}; restore it first"
    )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _cell(text: str) -> str:
    """A text that stays within its cell."""
    return " ".join(text.split()).replace("|", "/")
