"""What the tests of RTSTRUCTs share: a file on disk as the scan of an export would describe it, CT series without pixels."""

from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from src.dicom.objects import CTSeries, CTSlice, DicomFile, ExportedPatient, StructureSet, StructureSetFile
from src.dicom.structure_set import read_structure_set
from tests.small_export import UID_ROOT, SmallPatient, write_rtstruct

LABEL = "file_0012"
SQUARE = np.array([[0, 0, 100], [10, 0, 100], [10, 10, 100], [0, 10, 100]], float)


def a_header(path: Path = Path("nowhere"), **values) -> StructureSetFile:
    """A StructureSetFile with nothing in it but what is given."""
    nothing = {
        "sop_uid": "",
        "study_uid": "",
        "frame_uids": (),
        "series_uids": (),
        "image_uids": frozenset(),
        "approved": False,
        "drawn_at": "",
        "num_rois": 0,
    }
    label = values.pop("label", LABEL)
    return StructureSetFile(file=DicomFile(label=label, path=path), **{**nothing, **values})


def header_of(path: Path) -> StructureSetFile:
    """What an RTSTRUCT says it was drawn on, read by pydicom alone."""
    dataset = dcmread(path)
    frames = dataset.get("ReferencedFrameOfReferenceSequence") or []
    studies = [study for frame in frames for study in frame.get("RTReferencedStudySequence") or []]
    series = [one for study in studies for one in study.get("RTReferencedSeriesSequence") or []]
    images = [image for one in series for image in one.get("ContourImageSequence") or []]
    return a_header(
        path,
        study_uid=str(dataset.get("StudyInstanceUID", "")),
        frame_uids=tuple(str(frame.FrameOfReferenceUID) for frame in frames),
        series_uids=tuple(str(one.SeriesInstanceUID) for one in series),
        image_uids=frozenset(str(image.ReferencedSOPInstanceUID) for image in images),
        image_groups=tuple(
            frozenset(str(image.ReferencedSOPInstanceUID) for image in one.get("ContourImageSequence") or []) for one in series
        ),
    )


def read_path(path: Path) -> StructureSet:
    return read_structure_set(a_header(path))


def read_changed(folder: Path, rois, change=None) -> StructureSet:
    """A small RTSTRUCT with ``rois``, changed by ``change``, written and read back."""
    return read_path(write_rtstruct(folder / "RS.dcm", SmallPatient(rois=rois), change=change))


def contour_items(dataset: Dataset, roi: int = 0):
    return dataset.ROIContourSequence[roi].ContourSequence


def put_bytes(dataset: Dataset, tag: int, value: bytes) -> None:
    """Sets an element to bytes as they are, right or wrong: pydicom leaves those of OB alone; padded to even length."""
    dataset[tag] = DataElement(tag, "OB", value + b" " * (len(value) % 2))


def a_series(number: int = 1, *, frame: str = "1.2.3", study: str = "1.9", slices: int = 3, uid: str | None = None) -> CTSeries:
    """A CT series ``series_<number>`` whose UIDs follow from its number; ``images_of`` tells those of its slices."""
    uid = f"{UID_ROOT}.77.{number}" if uid is None else uid
    made = tuple(
        CTSlice(
            file=DicomFile(label=f"file_{number}{z:03d}", path=Path("nowhere")),
            sop_uid=f"{UID_ROOT}.78.{number}.{z}",
            series_uid=uid,
            study_uid=study,
            frame_uid=frame,
            image_type=("ORIGINAL",),
            rows=4,
            columns=4,
            position_mm=np.array([0.0, 0.0, 3.0 * z]),
            row_direction=np.array([1.0, 0.0, 0.0]),
            column_direction=np.array([0.0, 1.0, 0.0]),
            row_spacing_mm=1.0,
            column_spacing_mm=1.0,
            transfer_syntax="1.2.840.10008.1.2",
        )
        for z in range(slices)
    )
    return CTSeries(label=f"series_{number}", series_uid=uid, study_uid=study, frame_uid=frame, slices=made)


def images_of(*series: CTSeries) -> frozenset[str]:
    return frozenset(ct_slice.sop_uid for one in series for ct_slice in one.slices)


def a_patient(*series: CTSeries) -> ExportedPatient:
    return ExportedPatient(key="1", identifiers=frozenset(), series=series, structure_sets=(), skipped=())
