"""Files that are on disk whole or not at all, whatever moment the power goes at."""

import os
from collections.abc import Iterable
from pathlib import Path

from src.machine_fault import writing


def write_whole(path: Path, chunks: Iterable[bytes | memoryview]) -> None:
    """Writes a file beside its place, flushes it to the disk, and renames it into place; the folder is flushed too.

    Args:
        path: its folder is made if it is not there; meanwhile ``.<name>.partial`` lies beside it.
        chunks: the content in order; none makes an empty file. What they raise is passed on, an OSError as a DiskError.

    Raises:
        DiskError: the disk is full or refuses; as with every fault before the renaming, what was at ``path`` is still there.
    """
    partial = path.with_name(f".{path.name}.partial")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        to_disk(path.parent)


def to_disk(path: Path) -> None:
    """Flushes a file or a folder; a renaming is in the folder, not in the file, and a power cut may undo it before."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
