"""How far a run is and how fast it goes, from the events its sites write while they train."""

import json
from pathlib import Path


class RunMeter:
    """Counts the optimiser steps of one run.

    A run that goes on after a stop writes its files anew, without what it is about to do again. So files are read whole, and
    lines that were there before tell what was not taken now; they are small.

    Args:
        run: its folder; need not be there yet.

    Attributes:
        steps: of all sites together, since the run began.
        taken: of them, those that came since the first ``read``.
        round: rounds that somebody trained.
    """

    def __init__(self, run: Path) -> None:
        self._run, self._is_first = run, True
        self._steps_of: dict[tuple[Path, bytes], int] = {}  # of every line ever seen
        self._in_file: dict[Path, int] = {}
        self.taken, self.round = 0, 0

    @property
    def steps(self) -> int:
        return sum(self._in_file.values())

    def read(self) -> None:
        """Takes in what is new."""
        for path in self._run.rglob("metrics.jsonl"):
            if path.parent != self._run:  # that one is made of all others in the end
                self._read(path)
        self._is_first = False

    def _read(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # a run that is done tidies up
            return
        lines = content[: content.rfind(b"\n") + 1].splitlines()
        for line in lines:
            if (path, line) not in self._steps_of:
                steps = self._steps_of[path, line] = self._take(json.loads(line))
                self.taken += 0 if self._is_first else steps
        self._in_file[path] = sum(self._steps_of[path, line] for line in lines)

    def _take(self, event: dict) -> int:
        """Optimiser steps of one event."""
        if event["phase"] != "train":
            return 0
        self.round = max(self.round, event["round"] + 1)
        return event.get("steps", 0)
