"""Every file of a folder, named so that the name says nothing about the patient."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from data_prep.dicom.objects import DicomFile
from src.errors import DicomError

EMPTY = "an empty file"
OUT_OF_REACH = "a link to nothing, or a file that may not be looked at"


@dataclass(frozen=True, kw_only=True)
class ListedFile:
    """One file, and why it is not even opened ("" for most)."""

    file: DicomFile
    why: str


def list_files(folder: Path) -> list[ListedFile]:
    """All files below a folder, in the order of their relative paths; links are followed, each folder entered once.

    Raises:
        DicomError: the folder, or one in it, does not exist or cannot be read.
    """
    if not folder.is_dir():
        raise DicomError("expected the folder of an export as input, found none there; check the path")
    relative = sorted(_walk(folder), key=lambda path: [os.fsencode(part) for part in path.parts])
    width = max(4, len(str(len(relative))))
    return [
        ListedFile(file=DicomFile(label=f"file_{number:0{width}d}", path=folder / path), why=_why_not(folder, path))
        for number, path in enumerate(relative, 1)
    ]


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
