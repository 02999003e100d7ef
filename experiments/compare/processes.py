"""Jobs as processes: each may end on its own, all of them end with this one."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from experiments.federation.processes import Processes, process_environment
from experiments.federation.template import REPOSITORY

# Sums of floating-point numbers depend on how they are split among threads; and one job a core leaves no core for a second.
_THREADS = 1


class JobProcesses(Processes):
    """Starts jobs and says which have ended.

    Args:
        logs: folder of their outputs.
        lock: descriptor that they inherit; see ``study_lock``.
    """

    def __init__(self, logs: Path, lock: int) -> None:
        super().__init__(logs, process_environment(_THREADS))
        self._lock = lock

    def start_job(self, name: str, command: Sequence[str]) -> Path:
        """Starts a job; it gets a pipe that closes with this process, as a killed one cannot end its children.

        Returns:
            Its log.
        """
        self._check_stop()
        log = self.logs / f"{name.replace('/', '-')}.log"
        with log.open("wb") as output:
            self._launch(name, command, REPOSITORY, log, output, stdin=subprocess.PIPE, pass_fds=(self._lock,))
        return log

    def ended(self) -> dict[str, int]:
        """The exit codes of those that ended since the last call, by name; negative for a signal.

        Raises:
            KeyboardInterrupt: a stop was asked for.
        """
        self._check_stop()
        codes = {started: started.exit_code() for started in self._running}
        gone = {started: code for started, code in codes.items() if code is not None}
        for started in gone:
            # What it may have left of its own. Not reaped until then, so its number is still its own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(started.popen.pid, signal.SIGKILL)
            started.popen.wait()
            started.popen.stdin.close()
            self._running.remove(started)
        return {started.name: code for started, code in gone.items()}
