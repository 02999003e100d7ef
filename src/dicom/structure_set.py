"""An RTSTRUCT's ROIs and contours, read whole. Source: DICOM PS3.3 C.8.8.5 (Structure Set), C.8.8.6 (ROI Contour)."""

import re
from collections import Counter
from collections.abc import Mapping

from src.dicom.character_set import decode_text
from src.dicom.contour_data import DATA, read_contours
from src.dicom.objects import Roi, StructureSet, StructureSetFile
from src.dicom.strict_elements import Elements, open_elements
from src.errors import DicomError

MAX_ROIS = 5_000
MAX_CONTOURS = 200_000
MAX_POINTS = 10_000_000
MAX_NAME_LENGTH = 256

_CHARACTER_SET = 0x00080005
_ROIS, _ROI_NUMBER, _ROI_FRAME, _ROI_NAME = 0x30060020, 0x30060022, 0x30060024, 0x30060026
_ROI_CONTOURS, _CONTOURS, _REFERENCED_NUMBER = 0x30060039, 0x30060040, 0x30060084


def read_structure_set(header: StructureSetFile) -> StructureSet:
    """The ROIs of an RTSTRUCT with their closed planar contours, in the order of StructureSetROISequence.

    What is left out of an ROI on purpose stands in its notes. What keeps it from being complete stands in its ``damage``: an
    ROI that has any must not become a mask. Two ROIs with one name are kept; which is meant is not for the file to say.

    Args:
        header: the file, as found in the export.

    Returns:
        All its ROIs; those of points, of open contours or of nothing have ``contours=()``.

    Raises:
        DicomError: unreadable, cut off, inconsistent, two ROIs with one number, or more than the bounds of this module.
    """
    label = header.file.label
    top = open_elements(header.file)
    rois, contours = top.items(_ROIS), top.items(_ROI_CONTOURS)
    if len(rois) > MAX_ROIS or len(contours) > MAX_ROIS:
        raise DicomError(f"{label}: expected at most {MAX_ROIS} ROIs, found {max(len(rois), len(contours))}")
    if contours and not rois:
        raise DicomError(f"{label}: expected the names of its ROIs, found contours alone; export it again")
    numbers = [_own_number(label, position, roi) for position, roi in enumerate(rois, 1)]
    (number, count), *_ = Counter(numbers).most_common(1) or [(0, 0)]
    if count > 1:
        raise DicomError(f"{label}: expected one ROI with number {number}, found {count}; export it again")
    owned, notes = _by_owner(contours, numbers)
    _check_bounds(label, owned)
    character_set = top.text(_CHARACTER_SET)
    read = [
        _read_roi(roi, number, owned[number], character_set, orphans=bool(notes))
        for number, roi in zip(numbers, rois, strict=True)
    ]
    return StructureSet(header=header, rois=tuple(read), notes=notes)


def _read_roi(roi: Elements, number: int, owned: list[list[Elements]], character_set: str, *, orphans: bool) -> Roi:
    name, name_notes = _name(roi, character_set)
    read = read_contours(item for items in owned for item in items)
    damage = list(read.damage)
    if len(owned) > 1:
        damage.append(f"{len(owned)} items of ROIContourSequence claim to be its contours")
    if not owned and orphans:
        damage.append("no contours under its number, but the file holds contours of an unknown ROI")
    notes = [*name_notes, *read.notes]
    if not any(owned):
        notes.append("no contours")
    return Roi(
        number=number,
        name=name,
        frame_uid=roi.text(_ROI_FRAME),
        contours=read.contours,
        notes=tuple(notes),
        damage=tuple(damage),
    )


def _name(roi: Elements, character_set: str) -> tuple[str, list[str]]:
    name, as_declared = decode_text(roi.value(_ROI_NAME), roi.text(_CHARACTER_SET) or character_set)
    notes = [] if as_declared else ["its name is not in the character set that the file declares; it may be misspelt"]
    if len(name) > MAX_NAME_LENGTH:
        name = name[:MAX_NAME_LENGTH]
        notes.append(f"its name was cut after {MAX_NAME_LENGTH} characters")
    return name, notes


def _by_owner(contours: list[Elements], numbers: list[int]) -> tuple[Mapping[int, list[list[Elements]]], tuple[str, ...]]:
    """ROI number -> the contour items of each ROIContour item that refers to it; and a note if some refer to no ROI."""
    owned, orphans = {number: [] for number in numbers}, 0
    for roi_contour in contours:
        number, items = _number(roi_contour.text(_REFERENCED_NUMBER)), roi_contour.items(_CONTOURS)
        if number in owned:
            owned[number].append(items)
        elif items:
            orphans += len(items)
    return owned, (f"{orphans} contours belong to no ROI of this file",) if orphans else ()


def _check_bounds(label: str, owned: Mapping[int, list[list[Elements]]]) -> None:
    items = [item for lists in owned.values() for contour_items in lists for item in contour_items]
    if len(items) > MAX_CONTOURS:
        raise DicomError(f"{label}: expected at most {MAX_CONTOURS} contours, found {len(items)}")
    # Three numbers a point, separated by backslashes.
    num_points = sum((item.value(DATA).count(b"\\") + 1) // 3 for item in items)
    if num_points > MAX_POINTS:
        raise DicomError(f"{label}: expected at most {MAX_POINTS} contour points, found {num_points}")


def _own_number(label: str, position: int, roi: Elements) -> int:
    number = _number(roi.text(_ROI_NUMBER))
    if number is None:
        raise DicomError(f"{label}: expected a whole number as ROINumber of its ROI at place {position}, found none")
    return number


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?\d{1,12}", text) else None
