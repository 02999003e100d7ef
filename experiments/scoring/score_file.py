"""Score files: one JSON object a line, written whole, read strictly."""

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

from experiments.scoring.score_row import ScoreFileError, ScoreRow
from experiments.whole_text import write_whole

_FIELDS = {field.name for field in fields(ScoreRow)}


def write_scores(path: Path, rows: Iterable[ScoreRow]) -> None:
    """Writes rows, sorted by what they are of; the same rows make the same bytes."""
    ordered = sorted(rows, key=lambda row: row.key)
    write_whole(path, "".join(json.dumps(asdict(row), allow_nan=False) + "\n" for row in ordered))


def read_scores(path: Path | str) -> list[ScoreRow]:
    """The rows of a score file, or of all below a folder.

    Args:
        path: a ``.jsonl`` file, or a folder such as ``<study>/scores/valid``; the files are taken in the order of their names.

    Returns:
        The rows; none from a file without lines, which is what a split without patients leaves.

    Raises:
        ScoreFileError: there is no file, a line is none of ours, or two rows are of the same model, patient and structure.
    """
    path = Path(path)
    files = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise ScoreFileError(f"expected score files (.jsonl) at '{path.name}', found none; score the runs first")
    rows: dict[tuple, ScoreRow] = {}
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            row = _row(line, f"{file.parent.name}/{file.name}, line {number}")
            if row.key in rows:
                raise ScoreFileError(
                    f"{file.parent.name}/{file.name}, line {number}: expected one row of each model, patient and structure,"
                    f" found a second of {row.key}; remove the file that should not be there"
                )
            rows[row.key] = row
    return list(rows.values())


def _row(line: str, place: str) -> ScoreRow:
    try:
        content = json.loads(line)
    except ValueError as error:
        raise ScoreFileError(f"{place}: expected a JSON object, found '{line[:60]}'; score the run again") from error
    if not isinstance(content, dict) or set(content) != _FIELDS:
        found = set(content) if isinstance(content, dict) else set()
        wrong = ", ".join(sorted(found ^ _FIELDS))
        raise ScoreFileError(f"{place}: expected the keys of a score row, found others missing or too many: {wrong}")
    try:
        return ScoreRow(**content)
    except ScoreFileError as error:
        raise ScoreFileError(f"{place}: {error}") from error
