"""What reading an export yields: files, slices, series, structure sets, patients.

Nothing here may be printed, logged or written whole: paths, identifiers and UIDs are a patient's. What may be said of a file is
its ``label``; which file that is stands in the private listing beside the pseudonym key.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True, kw_only=True)
class DicomFile:
    """One file of an export.

    Attributes:
        label: what messages call it, ``file_0001`` onwards; says nothing about the patient, not even by its order.
        path: where it lies; private.
    """

    label: str
    path: Path = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class CTSlice:
    """One single-frame CT image as its header describes it; every number is finite and was checked.

    Attributes:
        file: where it came from.
        sop_uid, series_uid, study_uid, frame_uid: its identifiers, "" where the header has none; private.
        image_type: the words of ImageType in upper case, empty when absent.
        rows, columns: size in pixels; rows along y of the image, columns along x.
        position_mm: (3,) float64, patient coordinates (LPS) of the centre of the first pixel.
        row_direction, column_direction: (3,) float64 unit vectors in which the column index and the row index grow.
        row_spacing_mm, column_spacing_mm: distance between the centres of neighbouring rows, of neighbouring columns.
        transfer_syntax: UID of how the pixels are coded.
        notes: what a person should know of its voxels (compressed with loss), in plain words.
    """

    file: DicomFile
    sop_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    study_uid: str = field(repr=False)
    frame_uid: str = field(repr=False)
    image_type: tuple[str, ...]
    rows: int
    columns: int
    position_mm: np.ndarray
    row_direction: np.ndarray
    column_direction: np.ndarray
    row_spacing_mm: float
    column_spacing_mm: float
    transfer_syntax: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file that is not used.

    Attributes:
        file: where it lies.
        why: in plain words: ``no DICOM``, ``an empty file``, ``multi-frame CT``.
        may_be_rtstruct: whether it is an RTSTRUCT, or too damaged, or too far away, to say what it is.
    """

    file: DicomFile
    why: str
    may_be_rtstruct: bool = False


@dataclass(frozen=True, kw_only=True)
class CTSeries:
    """The CT images of one series, in no order yet.

    Attributes:
        label: ``series_1`` onwards within its patient: what messages call it.
        series_uid, study_uid, frame_uid: "" where absent or, for frame_uid, where its slices disagree; private.
        slices: at least one.
        broken: files that belong to the series, or may, and cannot be used as slices; a series that has any is no whole volume.
    """

    label: str
    series_uid: str = field(repr=False)
    study_uid: str = field(repr=False)
    frame_uid: str = field(repr=False)
    slices: tuple[CTSlice, ...]
    broken: tuple[Skipped, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A regular grid of voxels; index (x, y, z) -> patient millimetres by ``origin + direction @ (spacing * index)``.

    Attributes:
        size: voxels in x (columns), y (rows), z (slices).
        spacing_mm: distance of voxel centres in x, y, z.
        origin_mm: (3,) float64, centre of voxel (0, 0, 0) in LPS.
        direction: (3, 3) float64, columns are the unit vectors of x, y and z; right-handed and orthonormal to 1e-4.
    """

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: np.ndarray
    direction: np.ndarray


@dataclass(frozen=True, kw_only=True)
class SliceStack:
    """A CT series that is one regular grid.

    Attributes:
        grid: where its voxels lie; z grows along row_direction × column_direction.
        slices: one per z, in the order of z.
        notes: what a person should know (a localizer left out, exact duplicates dropped), in plain words without identifiers.
    """

    grid: Grid
    slices: tuple[CTSlice, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StructureSetFile:
    """An RTSTRUCT as its top level describes it; the contours are read later.

    Attributes:
        file: where it came from.
        sop_uid, frame_uids, series_uids, image_uids: its own identifier, and what it says it was drawn on (frames of reference,
            CT series, CT images of the first referenced ones); private; empty where it does not say.
        image_groups: ``image_uids``, apart for each series that it refers to; private.
        study_uid: its own study.
        approved: whether ApprovalStatus is APPROVED.
        drawn_at: StructureSetDate and StructureSetTime as one sortable text, "" when absent; private.
        num_rois: how many ROIs it names.
    """

    file: DicomFile
    sop_uid: str = field(repr=False)
    study_uid: str = field(repr=False)
    frame_uids: tuple[str, ...] = field(repr=False)
    series_uids: tuple[str, ...] = field(repr=False)
    image_uids: frozenset[str] = field(repr=False)
    approved: bool
    drawn_at: str = field(repr=False)
    num_rois: int
    image_groups: tuple[frozenset[str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class ExportedPatient:
    """All that an export holds of one patient.

    Attributes:
        key: what tells patients apart (PatientID, or what stands in for an empty one); private.
        name: PatientName of the first file that has one, "" where none has; private.
        identifiers: every identifying text seen in the headers: names and their parts, numbers, dates, UIDs; private.
        series: the CT series, by label.
        structure_sets: the RTSTRUCTs.
        skipped: its other files.
        notes: what a person should know, in plain words without identifiers.
    """

    key: str = field(repr=False)
    identifiers: frozenset[str] = field(repr=False)
    series: tuple[CTSeries, ...]
    structure_sets: tuple[StructureSetFile, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()
    name: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Export:
    """A folder that a planning system exported.

    Attributes:
        files: every file in it, in the order of their labels.
        patients: in the order of their first file.
        skipped: files that belong to no patient (no DICOM, unreadable).
    """

    files: tuple[DicomFile, ...]
    patients: tuple[ExportedPatient, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, kw_only=True)
class Contour:
    """One closed planar contour of an RTSTRUCT.

    Attributes:
        points_mm: (N, 3) float64, N at least 3, LPS; the last point is joined to the first.
        exclusive: whether it is of the type CLOSEDPLANAR_XOR: what two such contours of a plane share is outside.
    """

    points_mm: np.ndarray
    exclusive: bool = False


@dataclass(frozen=True, kw_only=True)
class Roi:
    """One region of interest of an RTSTRUCT.

    Attributes:
        number: ROINumber.
        name: ROIName as decoded by its character set; may hold anything, a patient's name too.
        frame_uid: ReferencedFrameOfReferenceUID; private.
        contours: its closed planar contours; empty for an empty ROI or one of points.
        notes: what was left out and why (``3 contours of type POINT``), in plain words.
        damage: what of it could not be read, in plain words; an ROI with any is incomplete and must not become a mask.
    """

    number: int
    name: str
    frame_uid: str = field(repr=False)
    contours: tuple[Contour, ...]
    notes: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def drawn(self) -> bool:
        """Whether somebody drew it, be it readable or not."""
        return bool(self.contours or self.damage)


@dataclass(frozen=True, kw_only=True)
class StructureSet:
    """An RTSTRUCT, read whole.

    Attributes:
        header: the file it was read from.
        rois: in the order of the file.
        notes: what a person should know of the file as a whole, in plain words.
    """

    header: StructureSetFile
    rois: tuple[Roi, ...]
    notes: tuple[str, ...] = ()
