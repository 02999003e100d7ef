"""A planning system's export, made small: a patient's CT slices and RTSTRUCT as DICOM files, with every tag open to change.

The planted identifiers are words no code would print by itself, so that a test can look for them in every byte that comes out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage

UID_ROOT = "1.2.826.0.1.3680043.10.1234"
Change = Callable[[Dataset], None]


@dataclass
class SmallPatient:
    """One patient of an export; the defaults make a right one.

    Attributes:
        number: tells patients apart; part of every identifier and UID.
        size: voxels in x (columns), y (rows), z.
        spacing_mm: in x, y, z.
        origin_mm: of the first pixel of the first slice, LPS.
        direction: (3, 3), columns are the unit vectors of x, y, z.
        rois: name -> contours, each an (N, 3) array of LPS millimetres.
        hu_ZYX: voxels; a box of noisy tissue in air when None.
    """

    number: int = 1
    size: tuple[int, int, int] = (24, 20, 10)
    spacing_mm: tuple[float, float, float] = (2.0, 2.0, 3.0)
    origin_mm: tuple[float, float, float] = (-24.0, -20.0, 100.0)
    direction: np.ndarray = field(default_factory=lambda: np.eye(3))
    rois: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)
    hu_ZYX: np.ndarray | None = None

    @property
    def identifiers(self) -> dict[str, str]:
        """Tag keyword -> planted value; none of them may ever come out of a conversion."""
        return {
            "PatientName": f"Zwiebelfisch{self.number}^Hannelore",
            "PatientID": f"PID77{self.number}4242",
            "PatientBirthDate": f"195{self.number % 10}0217",
            "StudyDate": "20190523",
            "AccessionNumber": f"ACC5150{self.number}",
            "ReferringPhysicianName": "Quacksalber^Ottokar",
            "InstitutionName": "Klinikum Dunkelwald",
        }

    @property
    def study_uid(self) -> str:
        return f"{UID_ROOT}.{self.number}.1"

    @property
    def series_uid(self) -> str:
        return f"{UID_ROOT}.{self.number}.2"

    @property
    def frame_uid(self) -> str:
        return f"{UID_ROOT}.{self.number}.3"

    def sop_uid(self, z: int) -> str:
        return f"{UID_ROOT}.{self.number}.4.{z + 1}"

    def point_mm(self, index_xyz) -> np.ndarray:
        """(..., 3) continuous voxel index -> LPS millimetres."""
        return np.asarray(self.origin_mm) + (np.asarray(index_xyz, float) * self.spacing_mm) @ np.asarray(self.direction).T

    def circle(self, centre_xy, radius_mm: float, z: float, points: int = 48) -> np.ndarray:
        """A circle in slice ``z`` around a pixel, (points, 3) in LPS millimetres."""
        angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
        x = centre_xy[0] + radius_mm * np.cos(angle) / self.spacing_mm[0]
        y = centre_xy[1] + radius_mm * np.sin(angle) / self.spacing_mm[1]
        return self.point_mm(np.stack([x, y, np.full(points, float(z))], axis=1))

    def cylinder(self, centre_xy, radius_mm: float, first: int, last: int) -> list[np.ndarray]:
        """Circles in slices ``first`` to ``last``."""
        return [self.circle(centre_xy, radius_mm, z) for z in range(first, last + 1)]

    def hounsfield_ZYX(self) -> np.ndarray:
        if self.hu_ZYX is not None:
            return self.hu_ZYX
        hu = np.full(self.size[::-1], -1000, np.int16)
        inside = np.random.default_rng(self.number).integers(20, 80, self.size[::-1], dtype=np.int16)
        hu[:, 2:-2, 2:-2] = inside[:, 2:-2, 2:-2]
        return hu


def write_export(folder: Path, *patients: SmallPatient, change_ct: Change | None = None, change_rtstruct: Change | None = None):
    """Writes patients' files, each patient in a folder named after it, as planning systems do; returns the folder."""
    for patient in patients:
        write_ct(folder / patient.identifiers["PatientName"], patient, change=change_ct)
        write_rtstruct(folder / patient.identifiers["PatientName"] / "RS.dcm", patient, change=change_rtstruct)
    return folder


def write_ct(
    folder: Path, patient: SmallPatient, *, change: Change | None = None, slices: Sequence[int] | None = None
) -> list[Path]:
    """Writes one file per slice, named in no order; ``change`` may alter each Dataset, whose ``InstanceNumber`` is z + 1."""
    folder.mkdir(parents=True, exist_ok=True)
    hu_ZYX = patient.hounsfield_ZYX()
    paths = []
    for z in range(patient.size[2]) if slices is None else slices:
        slice_dataset = ct_slice(patient, hu_ZYX, z)
        if change:
            change(slice_dataset)
        paths.append(folder / f"IMG{(z * 7 + 3) % 1000:03d}_{z}")
        slice_dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def ct_slice(patient: SmallPatient, hu_ZYX: np.ndarray, z: int) -> FileDataset:
    """One CT image: unsigned 16 bits, intercept -1024."""
    dataset = _new(patient, CTImageStorage, patient.sop_uid(z))
    dataset.Modality = "CT"
    dataset.SeriesInstanceUID = patient.series_uid
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.InstanceNumber = z + 1
    dataset.ImagePositionPatient = [float(value) for value in patient.point_mm((0, 0, z))]
    dataset.ImageOrientationPatient = [float(value) for value in np.asarray(patient.direction).T[:2].ravel()]
    dataset.PixelSpacing = [patient.spacing_mm[1], patient.spacing_mm[0]]
    dataset.SliceThickness = 7.5  # never the distance of slices, so that code which believes it is found out
    dataset.Rows, dataset.Columns = patient.size[1], patient.size[0]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    dataset.PixelData = (hu_ZYX[z].astype(np.int32) + 1024).astype("<u2").tobytes()
    return dataset


def write_rtstruct(path: Path, patient: SmallPatient, *, change: Change | None = None) -> Path:
    """Writes an RTSTRUCT with the patient's ROIs; ``change`` may alter the Dataset."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = rtstruct(patient)
    if change:
        change(dataset)
    dataset.save_as(path, enforce_file_format=True)
    return path


def rtstruct(patient: SmallPatient) -> FileDataset:
    """An RTSTRUCT that refers to the patient's CT by frame of reference, series and images."""
    dataset = _new(patient, RTStructureSetStorage, f"{UID_ROOT}.{patient.number}.5")
    dataset.Modality = "RTSTRUCT"
    dataset.SeriesInstanceUID = f"{UID_ROOT}.{patient.number}.6"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.StructureSetLabel = "Plan"
    dataset.StructureSetDate, dataset.StructureSetTime = "20190524", "101500"
    dataset.ApprovalStatus = "UNAPPROVED"
    images = [
        _item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=patient.sop_uid(z)) for z in range(patient.size[2])
    ]
    series = _item(SeriesInstanceUID=patient.series_uid, ContourImageSequence=DicomSequence(images))
    study = _item(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
        ReferencedSOPInstanceUID=patient.study_uid,
        RTReferencedSeriesSequence=DicomSequence([series]),
    )
    dataset.ReferencedFrameOfReferenceSequence = DicomSequence(
        [_item(FrameOfReferenceUID=patient.frame_uid, RTReferencedStudySequence=DicomSequence([study]))]
    )
    dataset.StructureSetROISequence = DicomSequence()
    dataset.ROIContourSequence = DicomSequence()
    dataset.RTROIObservationsSequence = DicomSequence()
    for name, contours in patient.rois.items():
        add_roi(dataset, patient, name, contours)
    return dataset


def add_roi(dataset: Dataset, patient: SmallPatient, name: str, contours: Sequence[np.ndarray], kind: str = "CLOSED_PLANAR"):
    """Adds one ROI with its contours to an RTSTRUCT."""
    number = len(dataset.StructureSetROISequence) + 1
    dataset.StructureSetROISequence.append(
        _item(ROINumber=number, ReferencedFrameOfReferenceUID=patient.frame_uid, ROIName=name, ROIGenerationAlgorithm="MANUAL")
    )
    items = [
        _item(
            ContourGeometricType=kind,
            NumberOfContourPoints=len(points),
            ContourData=[f"{value:.4f}" for value in np.asarray(points, float).ravel()],
        )
        for points in contours
    ]
    roi = _item(ROIDisplayColor=[255, 0, 0], ReferencedROINumber=number)
    if items:
        roi.ContourSequence = DicomSequence(items)
    dataset.ROIContourSequence.append(roi)
    dataset.RTROIObservationsSequence.append(
        _item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType="ORGAN", ROIInterpreter="")
    )


def _item(**values) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _new(patient: SmallPatient, sop_class: str, sop_uid: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, sop_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, sop_uid
    dataset.StudyInstanceUID = patient.study_uid
    dataset.FrameOfReferenceUID = patient.frame_uid
    for keyword, value in patient.identifiers.items():
        setattr(dataset, keyword, value)
    return dataset
