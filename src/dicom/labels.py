"""Naming files in a message: a few, and how many more."""

from collections.abc import Iterable

from src.dicom.objects import DicomFile

MAX_LISTED = 4


def listed(files: Iterable[DicomFile]) -> str:
    """``file_0003, file_0004 and 20 more``; "" for none."""
    labels = [file.label for file in files]
    more = f" and {len(labels) - MAX_LISTED} more" if len(labels) > MAX_LISTED else ""
    return ", ".join(labels[:MAX_LISTED]) + more
