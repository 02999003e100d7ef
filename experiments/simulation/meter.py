"""What a simulation took: CPU seconds of each site, and wall seconds over all its starts."""

import json
import time
from pathlib import Path

from src.exchange.whole_file import write_whole


class CpuMeter:
    """CPU seconds of this process while one site is at work: ``with meter: …``.

    All threads of the process count, processes that load data do not; a plan for the CPU has none.
    """

    def __init__(self) -> None:
        self._seconds, self._since = 0.0, None

    def __enter__(self) -> "CpuMeter":
        self._since = time.process_time()
        return self

    def __exit__(self, *_) -> None:
        self._seconds, self._since = self._present(), None

    def take(self) -> float:
        """What came together since the last call; may be asked while it runs."""
        seconds = self._present()
        self._seconds, self._since = 0.0, None if self._since is None else time.process_time()
        return seconds

    def _present(self) -> float:
        return self._seconds + (0.0 if self._since is None else time.process_time() - self._since)


class Stopwatch:
    """Wall seconds of a run that may be stopped and taken up.

    Args:
        path: file that ``note`` writes; it holds what earlier starts took.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._began = path, time.monotonic()
        self._before = json.loads(path.read_text(encoding="utf-8"))["wall_seconds"] if path.is_file() else 0.0

    @property
    def seconds(self) -> float:
        """Of this start and those before, as far as they were noted."""
        return self._before + time.monotonic() - self._began

    def note(self) -> None:
        """Writes down how long it took so far."""
        write_whole(self._path, [json.dumps({"wall_seconds": self.seconds}).encode()])
