"""The processes a run starts, each as a group of its own: they end together, and nothing else is touched.

A process that has ended is not reaped until its whole group is gone, so its number can not have passed to a stranger when we
signal it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from src.errors import FederationError, SiteProcessFailed

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
_POLL_S = 0.2
_SETTLE_S = 1.0
_LAST_LINES, _LINE_CHARACTERS = 8, 800


@dataclass(frozen=True, kw_only=True)
class Started:
    """One process: what it is called, and where its output goes."""

    name: str
    log: Path
    popen: subprocess.Popen

    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        state = os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if state is None:
            return None
        return state.si_status if state.si_code == os.CLD_EXITED else -state.si_status


class Processes:
    """Starts, watches and ends processes; as a context, whatever happens inside, all are gone afterwards.

    Args:
        logs: folder of their outputs, one ``<name>.log`` each.
        environment: their environment variables.
        grace_s: from SIGTERM to SIGKILL.
    """

    def __init__(self, logs: Path, environment: dict[str, str], grace_s: float = 10) -> None:
        self.logs, self.environment, self.grace_s = logs, environment, grace_s
        self._running: list[Started] = []
        self._stop_signal: int | None = None

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def request_stop(self, signal_number: int, _frame: object = None) -> None:
        """A signal handler: the next look at the processes ends them."""
        self._stop_signal = signal_number

    def start(self, name: str, command: Sequence[str], folder: Path, log: Path | None = None) -> None:
        """Starts a command in a folder; its output goes to ``log``, by default the shared ``setup.log``."""
        self._check_stop()
        log = log or self.logs / "setup.log"
        with log.open("ab") as output:
            self._launch(name, command, folder, log, output, stdin=subprocess.DEVNULL)

    def _launch(self, name: str, command: Sequence[str], folder: Path, log: Path, output: IO[bytes], **options) -> None:
        """Starts a command in a session of its own, so that a signal for this process is not one for it too.

        Args:
            output: the opened log.
            options: of ``subprocess.Popen``: its stdin, and what else it inherits.
        """
        popen = subprocess.Popen(
            command,
            cwd=folder,
            env=self.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )
        self._running.append(Started(name=name, log=log, popen=popen))

    def wait(
        self,
        timeout_s: float,
        on_look: Callable[[], None] = lambda: None,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        """Waits until every process has ended well, or until something else is true.

        Args:
            timeout_s: how long all of them may take together.
            on_look: called a few times a second meanwhile.
            until: when it says True, waiting ends and the processes go on.

        Raises:
            SiteProcessFailed: one ended with an error; says which, how, and the end of its log. The others are stopped.
            FederationError: they took longer than ``timeout_s``. All are stopped.
            KeyboardInterrupt: a stop was asked for.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self._check_stop()
            on_look()
            codes = {started: started.exit_code() for started in self._running}
            if any(codes.values()):
                self._end_in_failure()
            if until():
                return
            if all(code == 0 for code in codes.values()):
                on_look()
                self.stop()
                return
            if time.monotonic() > deadline:
                slow = ", ".join(started.name for started, code in codes.items() if code is None)
                self.stop()
                raise FederationError(f"expected an end within {timeout_s:.0f} s, still running: {slow}; give --timeout-s more")
            time.sleep(_POLL_S)

    def _end_in_failure(self) -> None:
        # One that failed may have taken others with it, or be the first to hear of another's failure: both are told.
        time.sleep(_SETTLE_S)
        failed = [(started, code) for started in self._running if (code := started.exit_code())]
        self.stop()
        raise SiteProcessFailed("\n".join(_describe(started, code) for started, code in failed))

    def stop(self) -> None:
        """Ends every process and its children: SIGTERM, ``grace_s`` of patience, SIGKILL. Harmless when all have ended."""
        for started in self._running:
            _signal_group(started, signal.SIGTERM)
        deadline = time.monotonic() + self.grace_s
        while time.monotonic() < deadline and any(started.exit_code() is None for started in self._running):
            time.sleep(_POLL_S / 4)
        for started in self._running:
            # Its own children too, that may have outlived it.
            _signal_group(started, signal.SIGKILL)
            started.popen.wait()
        self._running.clear()

    def _check_stop(self) -> None:
        if self._stop_signal is not None:
            raise KeyboardInterrupt(f"stopped by {signal.Signals(self._stop_signal).name}")


def process_environment(threads: int) -> dict[str, str]:
    """What participants inherit: not PYTHONPATH, so that each runs the code of its own workspace."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**inherited, **dict.fromkeys(_THREAD_VARIABLES, str(threads)), "PYTHONUNBUFFERED": "1"}


def _signal_group(started: Started, number: int) -> None:
    # Refused when nothing but an ended process is left of the group.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(started.popen.pid, number)


def _describe(started: Started, code: int) -> str:
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    lines = [line for line in started.log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    tail = "\n".join(f"    {line[:_LINE_CHARACTERS]}" for line in lines[-_LAST_LINES:])
    return f"{started.name} {how}; all others were stopped; the end of logs/{started.log.name}:\n{tail}"
