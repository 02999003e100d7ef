"""What a site records of its run: one JSON event a line, and the same numbers for TensorBoard."""

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.summary import scalar

from src.machine_fault import writing


class RunLog:
    """Appends events to ``<folder>/metrics.jsonl`` and mirrors their numbers to TensorBoard.

    Args:
        folder: the site's log folder; made if it is not there.

    Raises:
        DiskError: the folder cannot be written to; by ``event`` too.
    """

    def __init__(self, folder: Path) -> None:
        self._path, board = folder / "metrics.jsonl", folder / "tensorboard"
        with writing(folder):
            board.mkdir(parents=True, exist_ok=True)
            # Not tensorboardX's SummaryWriter: its thread dies of a full disk, and whoever then adds a number waits for ever.
            self._board = EventsWriter(str(board / "events"))

    def event(self, *, round_number: int, phase: str, **facts) -> None:
        """Records one event; NaN becomes null, so that every line is valid JSON."""
        line = json.dumps(_without_nan({"round": round_number, "phase": phase, **facts})) + "\n"
        with writing(self._path):
            _append_whole(self._path, line.encode())
            for name, value in _numbers(facts):
                summary = scalar(f"{phase}/{name}", value)
                self._board.write_event(Event(wall_time=time.time(), step=round_number, summary=summary))
            self._board.flush()


def _append_whole(path: Path, line: bytes) -> None:
    """Adds a line, or nothing: half a line on a full disk would spoil the next one too."""
    with path.open("ab", buffering=0) as file:
        before = file.seek(0, os.SEEK_END)
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[file.write(rest) :]
        except BaseException:
            file.truncate(before)
            raise


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
