"""One site's processes: the supervisor loop of the workspace's README and the ``fx collaborator start`` it keeps alive."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from experiments.federation.template import REPOSITORY

_FIRST_LINE = "    #!/bin/sh"
PAUSE_S = 2  # of the loop, before it starts the site again
_GRACE_S = 10


def supervisor_script() -> str:
    """The loop as an operator would copy it out of the README."""
    readme = (REPOSITORY / "workspace" / "README.md").read_text(encoding="utf-8")
    lines = readme[readme.index(f"{_FIRST_LINE}\n") :].splitlines()
    end = next(number for number, line in enumerate(lines) if line and not line.startswith("    "))
    return "\n".join(line[4:] for line in lines[:end]).rstrip() + "\n"


class SiteProcess:
    """A site under supervision; a context manager, after which it is gone.

    Args:
        site: its name.
        command: the whole command line, supervisor included.
        workspace: its current folder.
        environment: its variables.
        log: of all its output.
    """

    def __init__(self, site: str, command: Sequence[str], workspace: Path, environment: Mapping[str, str], log: Path) -> None:
        self.site, self.kills, self.log = site, 0, log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                cwd=workspace,
                env={**environment, "PAUSE_S": str(PAUSE_S)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> "SiteProcess":
        return self

    def __exit__(self, *_) -> None:
        for number in (signal.SIGCONT, signal.SIGTERM):
            self._signal_all(number)
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(_GRACE_S)
        self._signal_all(signal.SIGKILL)
        self._popen.wait()

    def exit_code(self) -> int | None:
        """Of the supervisor, which is the site's own; None while it runs."""
        return self._popen.poll()

    def running(self) -> psutil.Process | None:
        """The site's process itself; None while the supervisor pauses, and after the end."""
        with suppress(psutil.Error):
            for child in psutil.Process(self._popen.pid).children():
                if "collaborator" in child.cmdline():
                    return child
        return None

    def kill(self) -> bool:
        """SIGKILL to the site's process, if there is one."""
        found = self.running()
        if found is None:
            return False
        with suppress(psutil.Error):
            found.kill()
            self.kills += 1
            return True
        return False

    def stop(self, stopped: bool) -> None:
        """SIGSTOP or SIGCONT to the site's process."""
        found = self.running()
        if found is not None:
            with suppress(psutil.Error):
                found.suspend() if stopped else found.resume()

    def _signal_all(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)
