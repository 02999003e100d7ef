"""One process a state folder: a second one of the same site would write into the first one's checkpoints."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.errors import FederationError
from src.machine_fault import writing


@contextmanager
def state_lock(folder: Path) -> Iterator[None]:
    """Holds a folder for this process; the system lets go of it however the process ends, so a lock is never stale.

    Args:
        folder: made if it is not there.

    Raises:
        FederationError: another process holds it.
        DiskError: it cannot be made or written to.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FederationError(
                f"expected to be the only process of site '{folder.name}', found another at work in its state folder; end it "
                "first, or wait until it is done"
            ) from error
        yield
