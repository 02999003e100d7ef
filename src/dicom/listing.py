"""Every file of a folder, named so that the name says nothing about the patient.

Folders are called after patients, their numbers or dates. Were labels to follow that order, a list of the hospital's patients
would be enough to know who a case is; so folders are counted in the order of a digest of what they hold.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from src.dicom.objects import DicomFile
from src.errors import DicomError

EMPTY = "an empty file"
OUT_OF_REACH = "a link to nothing, or a file that may not be looked at"


@dataclass(frozen=True, kw_only=True)
class ListedFile:
    """One file, and why it is not even opened ("" for most)."""

    file: DicomFile
    why: str


def list_files(folder: Path) -> list[ListedFile]:
    """All files below a folder, its own by name and then folder by folder; links are followed, each folder entered once.

    The order depends on the relative paths alone, and that of two folders on what lies in these.

    Raises:
        DicomError: the folder, or one in it, does not exist or cannot be read.
    """
    if not folder.is_dir():
        raise DicomError("expected the folder of an export as input, found none there; check the path")
    relative = list(_in_order(sorted([os.fsencode(part) for part in path.parts] for path in _walk(folder))))
    width = max(4, len(str(len(relative))))
    return [
        ListedFile(file=DicomFile(label=f"file_{number:0{width}d}", path=folder / path), why=_why_not(folder, path))
        for number, path in enumerate(relative, 1)
    ]


def _in_order(paths: Sequence[list[bytes]], depth: int = 0) -> Iterator[Path]:
    """Sorted paths that are alike before ``depth``, in the order of their labels."""
    folders = []
    for _, group in groupby(paths, key=lambda parts: parts[depth]):
        below = list(group)
        if len(below[0]) == depth + 1:
            yield Path(os.fsdecode(b"/".join(below[0])))
        else:
            names = b"\0".join(b"/".join(parts[depth:]) for parts in below)
            folders.append((hashlib.sha256(names).digest(), below))
    for _, below in sorted(folders):
        yield from _in_order(below, depth + 1)


def _walk(folder: Path) -> list[Path]:
    found, entered = [], set()
    _enter_once(folder, entered)
    for parent, folders, files in os.walk(folder, followlinks=True, onerror=_refuse):
        found += [Path(os.path.relpath(parent, folder)) / name for name in files]
        folders[:] = [name for name in sorted(folders) if _enter_once(Path(parent) / name, entered)]
    return found


def _enter_once(folder: Path, entered: set[tuple[int, int]]) -> bool:
    """False for a folder that a link led to before: links may go round in circles."""
    try:
        status = folder.stat()
    except OSError as error:
        _refuse(error)
    place = (status.st_dev, status.st_ino)
    return place not in entered and not entered.add(place)


def _refuse(_error: OSError) -> None:
    raise DicomError("a folder of the export cannot be read; check its permissions, as slices may lie in it") from None


def _why_not(folder: Path, path: Path) -> str:
    if any(part.startswith(".") for part in path.parts):
        return "a hidden file"
    if path.name.upper() == "DICOMDIR":
        return "a DICOMDIR"
    try:
        status = (folder / path).stat()
    except OSError:
        return OUT_OF_REACH
    if not stat.S_ISREG(status.st_mode):
        return "no file but a device or pipe"
    return "" if status.st_size else EMPTY
