"""How far a run is and how fast it goes, from the events its sites write while they train."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(kw_only=True)
class _Counted:
    """Of one file: how far it was read, and the optimiser steps in what was read."""

    offset: int = 0
    steps: int = 0


class RunMeter:
    """Counts the optimiser steps of one run.

    Args:
        run: its folder; need not be there yet.

    Attributes:
        taken: steps that came since the first ``read``.
        round: rounds that somebody trained.
    """

    def __init__(self, run: Path) -> None:
        self._run, self._files, self._is_first = run, {}, True
        self.taken, self.round = 0, 0

    @property
    def steps(self) -> int:
        """Of all sites together, since the run began."""
        return sum(counted.steps for counted in self._files.values())

    def read(self) -> None:
        """Takes in what is new."""
        for path in self._run.rglob("metrics.jsonl"):
            if path.parent != self._run:  # that one is made of all others in the end
                self._read(path, self._files.setdefault(path, _Counted()))
        self._is_first = False

    def _read(self, path: Path, counted: _Counted) -> None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # a run that is done tidies up
            return
        is_shorter = len(content) < counted.offset
        if is_shorter:
            # A run that goes on drops what it is about to do again: what is left was not taken now.
            counted.offset, counted.steps = 0, 0
        new = content[counted.offset : content.rfind(b"\n") + 1]
        counted.offset += len(new)
        trained = [event for event in map(json.loads, new.splitlines()) if event["phase"] == "train"]
        steps = sum(event.get("steps", 0) for event in trained)
        counted.steps += steps
        if not self._is_first and not is_shorter:
            self.taken += steps
        self.round = max([self.round, *(event["round"] + 1 for event in trained)])
