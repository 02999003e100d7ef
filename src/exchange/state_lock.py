"""One process a state folder: a second one of the same site would write into the first one's checkpoints."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.errors import FederationError


@contextmanager
def state_lock(folder: Path) -> Iterator[None]:
    """Holds a folder for this process; the system lets go of it however the process ends, so a lock is never stale.

    Args:
        folder: made if it is not there.

    Raises:
        FederationError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FederationError(
                f"expected to be the only process of site '{folder.name}', found another at work in its state folder; end it "
                "first, or wait until it is done"
            ) from error
        yield
