"""Whether contours and CT share one frame of reference: without it their millimetres mean different places."""

from src.dicom.objects import CTSeries, Roi, StructureSet
from src.errors import DicomError

_LISTED = 10


def check_frames(structures: StructureSet, series: CTSeries, *, allow_mismatch: bool) -> tuple[str, ...]:
    """Refuses contours whose frame of reference is not the CT's.

    Only ROIs with contours count; a caller that converts some of them passes those alone (``dataclasses.replace``). An ROI
    without a frame of its own has the one that the RTSTRUCT refers to, if that is one only. A frame that is absent on either
    side contradicts nothing, but proves nothing either: it is accepted, with a note, where the RTSTRUCT refers to this very
    series by its UID, and refused otherwise. A CT whose slices have several frames is refused.

    Args:
        structures: the RTSTRUCT, read.
        series: the CT that it was paired with.
        allow_mismatch: the user's ``--allow-frame-mismatch``: what would be refused becomes a note.

    Returns:
        Notes; empty when all is as it should be.

    Raises:
        DicomError: another frame, or nothing to tell it by; says which ROIs, by number.
    """
    label = structures.header.file.label
    rois = [roi for roi in structures.rois if roi.contours]
    frames = {ct_slice.frame_uid for ct_slice in series.slices}
    if not rois:
        return ()
    if len(frames) > 1:
        what = f"{series.label}: expected one frame of reference, found {len(frames)} in its slices"
        return _refuse_or_note(what, allow_mismatch)
    (frame,) = frames
    own = {roi.number: _frame_of(roi, structures) for roi in rois}
    other = [number for number, uid in own.items() if uid and frame and uid != frame]
    if other:
        which = "its contours" if len(other) == len(rois) else _numbers(other)
        what = f"{label}: expected the frame of reference of {series.label}, found another for {which}"
        return _refuse_or_note(what, allow_mismatch)
    absent = list(own) if not frame else [number for number, uid in own.items() if not uid]
    if not absent:
        return ()
    where = series.label if not frame else f"{label} for {'its contours' if len(absent) == len(rois) else _numbers(absent)}"
    if series.series_uid and series.series_uid in structures.header.series_uids:
        return (f"no frame of reference in {where}; accepted because {label} refers to {series.label} itself",)
    return _refuse_or_note(f"{label}: expected the frame of reference of {series.label}, found none in {where}", allow_mismatch)


def _frame_of(roi: Roi, structures: StructureSet) -> str:
    referenced = {uid for uid in structures.header.frame_uids if uid}
    return roi.frame_uid or (referenced.pop() if len(referenced) == 1 else "")


def _refuse_or_note(what: str, allow_mismatch: bool) -> tuple[str, ...]:
    if allow_mismatch:
        return (f"{what}; converted because of --allow-frame-mismatch",)
    raise DicomError(
        f"{what}; export them together, or use --allow-frame-mismatch if their millimetres surely mean the same places"
    )


def _numbers(numbers: list[int]) -> str:
    more = f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else ""
    return f"ROI {', '.join(map(str, numbers[:_LISTED]))}{more}"
