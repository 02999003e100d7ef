"""One conversion a dataset, and none while processes of a killed one still write into it.

Both lie in the private folder. The system lets go of a lock however a process ends, so none is ever stale.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.errors import DatasetError

WAIT_S = 30.0  # for what is left of a killed run: it ends within seconds


@contextmanager
def conversion_lock(private_folder: Path) -> Iterator[None]:
    """Holds a dataset for this process, once no process of an earlier conversion writes into it any more.

    Args:
        private_folder: of the dataset.

    Raises:
        DatasetError: another conversion is at work in it.
    """
    with _opened(private_folder, os.O_RDONLY) as whole, _opened(private_folder / "lock") as writers:
        deadline = time.monotonic() + WAIT_S
        while not _try_lock(whole) or not _try_lock(writers):
            if not _try_lock(whole) or time.monotonic() > deadline:
                raise DatasetError(
                    "expected to be the only conversion into this dataset, found another at work; wait for its end"
                )
            time.sleep(0.1)
        fcntl.flock(writers, fcntl.LOCK_UN)
        yield


@contextmanager
def writer_lock(private_folder: Path) -> Iterator[None]:
    """What a process holds while it writes a case of the dataset; many may."""
    with _opened(private_folder / "lock") as writers:
        fcntl.flock(writers, fcntl.LOCK_SH)
        yield


@contextmanager
def _opened(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> Iterator[int]:
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
