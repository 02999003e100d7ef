"""One ``make compare`` at a time in a study folder, and none while jobs of a killed one still work there.

The jobs inherit the lock, so it is held until the last of them is gone. The system lets go of it however a process ends, so it
is never stale.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.compare.errors import StudyError

WAIT_S = 3.0  # for what is left of a killed one: it ends at once


@contextmanager
def study_lock(folder: Path, wait_s: float = WAIT_S) -> Iterator[int]:
    """Holds a study folder for this process and the jobs it starts.

    Args:
        folder: of the study.
        wait_s: how long to wait for another to end.

    Yields:
        The descriptor that jobs inherit.

    Raises:
        StudyError: another is at work.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + wait_s
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise StudyError(
                    f"expected to be the only one at work in '{folder.name}', found another 'make compare'; wait for its end, "
                    "or choose another RUN"
                )
            time.sleep(0.1)
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
