"""The top level of an RTSTRUCT: what it was drawn on, and when. Its contours are read when they are converted."""

from collections.abc import Iterable

from src.dicom.objects import DicomFile, StructureSetFile
from src.dicom.strict_elements import open_elements

_SOP_UID, _STUDY_UID, _SERIES_UID, _FRAME_UID = 0x00080018, 0x0020000D, 0x0020000E, 0x00200052
_DATE, _TIME, _APPROVAL = 0x30060008, 0x30060009, 0x300E0002
_FRAMES, _STUDIES, _SERIES, _IMAGES, _IMAGE_UID = 0x30060010, 0x30060012, 0x30060014, 0x30060016, 0x00081155
_ROIS, _ROI_FRAME = 0x30060020, 0x30060024


def read_structure_set_header(file: DicomFile) -> StructureSetFile:
    """What an RTSTRUCT says of itself.

    Raises:
        DicomError: damaged.
    """
    top = open_elements(file)
    rois = top.items(_ROIS)
    frames = top.items(_FRAMES)
    series = [item for frame in frames for study in frame.items(_STUDIES) for item in study.items(_SERIES)]
    image_groups = tuple(frozenset(_unique(image.text(_IMAGE_UID) for image in item.items(_IMAGES))) for item in series)
    frame_uids = _unique(frame.text(_FRAME_UID) for frame in frames) or _unique(roi.text(_ROI_FRAME) for roi in rois)
    return StructureSetFile(
        file=file,
        sop_uid=top.text(_SOP_UID),
        study_uid=top.text(_STUDY_UID),
        frame_uids=frame_uids,
        series_uids=_unique(item.text(_SERIES_UID) for item in series),
        image_uids=frozenset().union(*image_groups),
        image_groups=image_groups,
        approved=top.text(_APPROVAL).upper() == "APPROVED",
        drawn_at=top.text(_DATE) + top.text(_TIME),
        num_rois=len(rois),
    )


def referenced_uids(header: StructureSetFile) -> frozenset[str]:
    """Every UID that it refers to."""
    return frozenset({*header.frame_uids, *header.series_uids, *header.image_uids, header.study_uid, header.sop_uid} - {""})


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
