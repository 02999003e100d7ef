"""Changes the score files of a small study."""

import json
from collections.abc import Callable
from pathlib import Path


def read_lines(study: Path, split: str = "valid") -> list[dict]:
    """All rows of all score files."""
    files = sorted((study / "scores" / split).rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def keep_rows(study: Path, keep: Callable[[dict], bool]) -> None:
    """Writes the score files again with some of their rows."""
    for file in (study / "scores").rglob("*.jsonl"):
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows if keep(row)), encoding="utf-8")
