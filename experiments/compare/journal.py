"""``jobs.jsonl`` of a study folder: how long every job took, for people and for the estimate of the time left."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

JOURNAL = "jobs.jsonl"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A job that ended.

    Attributes:
        name, kind, scheme: of the job.
        outcome: ``done`` or ``failed``.
        seconds: it took, this time.
        steps: optimiser steps it took in them; fewer than the job has where it went on from an earlier one.
        when: local date and time.
    """

    name: str
    kind: str
    scheme: str
    outcome: str
    seconds: float
    steps: int
    when: str


def note(folder: Path, entry: Entry) -> None:
    """Adds a line."""
    with (folder / JOURNAL).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(entry)) + "\n")


def read_journal(folder: Path) -> list[Entry]:
    """All lines; one that a full disk or a crash cut short is left out."""
    path, entries = folder / JOURNAL, []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            entries.append(Entry(**json.loads(line)))
        except (json.JSONDecodeError, TypeError):
            continue
    return entries
