"""What a site records of its run: one JSON event a line, and the same numbers for TensorBoard."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter


class RunLog:
    """Appends events to ``<folder>/metrics.jsonl`` and mirrors their numbers to TensorBoard.

    Args:
        folder: the site's log folder; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "metrics.jsonl"
        self._board = SummaryWriter(logdir=str(folder / "tensorboard"))

    def event(self, *, round_number: int, phase: str, **facts) -> None:
        """Records one event; NaN becomes null, so that every line is valid JSON."""
        line = json.dumps(_without_nan({"round": round_number, "phase": phase, **facts}))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        for name, value in _numbers(facts):
            self._board.add_scalar(f"{phase}/{name}", value, round_number)
        self._board.flush()


def _without_nan(value):
    if isinstance(value, Mapping):
        return {key: _without_nan(entry) for key, entry in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _numbers(facts: Mapping, prefix: str = ""):
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{name}/")
        elif isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value):
            yield f"{prefix}{name}", value
