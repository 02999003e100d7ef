"""Files that only their owner may read: created so, never made so afterwards, and refused where they are not."""

import os
import stat
from pathlib import Path

from src.errors import DatasetError


def private_folder(path: Path) -> None:
    """Makes a folder of mode 0700, or checks that one that is there is closed to others.

    Raises:
        DatasetError: it is open to others, is no folder, or the disk keeps no permissions.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if not path.is_dir():
            raise DatasetError(f"expected a folder at --private, found the file '{path.name}'; choose another name") from None
    _check_closed(path, 0o700)


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file as a whole; it has mode 0600 from its first byte on, whatever the umask.

    Raises:
        DatasetError: the disk keeps no permissions.
    """
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        _check_closed(partial, 0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_private(path: Path) -> bytes | None:
    """The content of a private file; None when there is none.

    Raises:
        DatasetError: others may read it.
    """
    if not path.exists():
        return None
    _check_closed(path, 0o600)
    return path.read_bytes()


def _check_closed(path: Path, mode: int) -> None:
    found = stat.S_IMODE(path.stat().st_mode)
    if found & 0o077:
        raise DatasetError(
            f"expected '{path.name}' to be closed to everybody else (mode {mode:o}), found mode {found:o}; find out who could "
            f"read it, then 'chmod {mode:o}' it, or choose a --private folder on a disk that keeps permissions"
        )
