"""The planning CT of ``make bench PART=predict``: 512 × 512 × 120, as a DICOM series.

There is no public head-and-neck planning CT of this size that may be passed on with the project, so a real one of OpenKBP is
resampled to it: the longest of the validation patients with most structures contoured and a field of view that planning CTs
have. Its anatomy and field of view are a real patient's; its noise is smoother than a scanner's, which costs nothing that is
measured here.
"""

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from src.data.dataset import CaseRecord, Dataset
from src.data.preprocessing import AIR_HU

SIZE = (512, 512, 120)
_INTERCEPT = -1024
_WIDEST_MM = 510.0  # scanners reconstruct up to 500 mm


def choose_case(dataset: Dataset) -> CaseRecord:
    """Of the validation cases no wider than a scanner's field of view, the one with most structures; of those, the longest."""

    def extent(record: CaseRecord) -> tuple[bool, int, float]:
        header = dataset.read_geometry(record.name)
        sides_mm = np.multiply(header.GetSize(), header.GetSpacing())
        return bool(sides_mm[0] <= _WIDEST_MM), len(record.structures), float(sides_mm[2])

    return max(dataset.cases_of("valid"), key=extent)


def resample(ct: sitk.Image, size: tuple[int, int, int] = SIZE) -> sitk.Image:
    """The same field of view with another number of voxels, int16 HU, interpolated by B-splines."""
    spacing = [length * step / voxels for length, step, voxels in zip(ct.GetSize(), ct.GetSpacing(), size, strict=True)]
    shift = [(new - old) / 2 for new, old in zip(spacing, ct.GetSpacing(), strict=True)]
    grid = sitk.Image(size, sitk.sitkInt16)
    grid.SetSpacing(spacing)
    grid.SetDirection(ct.GetDirection())
    direction = np.array(ct.GetDirection()).reshape(3, 3)
    grid.SetOrigin((np.array(ct.GetOrigin()) + direction @ np.array(shift)).tolist())
    fine = sitk.Resample(sitk.Cast(ct, sitk.sitkFloat32), grid, sitk.Transform(), sitk.sitkBSpline, AIR_HU, sitk.sitkFloat32)
    return sitk.Cast(sitk.Round(sitk.Clamp(fine, sitk.sitkFloat32, _INTERCEPT, 3071)), sitk.sitkInt16)


def write_series(ct: sitk.Image, folder: Path) -> None:
    """A CT as one DICOM file per slice, uncompressed, of nobody."""
    study, series, frame = (generate_uid() for _ in range(3))
    folder.mkdir(parents=True)
    for z, hu_YX in enumerate(sitk.GetArrayViewFromImage(ct)):
        image = _slice(ct, hu_YX, z)
        image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = study, series, frame
        image.save_as(folder / f"slice_{z:03d}.dcm", enforce_file_format=True)


def _slice(ct: sitk.Image, hu_YX: np.ndarray, z: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid()
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    image.PatientName, image.PatientID, image.Modality, image.StudyID = "bench", "bench", "CT", "1"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.InstanceNumber = z + 1
    image.ImagePositionPatient = [f"{value:.6g}" for value in ct.TransformIndexToPhysicalPoint((0, 0, z))]
    image.ImageOrientationPatient = [f"{value:g}" for value in np.array(ct.GetDirection()).reshape(3, 3).T[:2].ravel()]
    image.PixelSpacing = [f"{ct.GetSpacing()[1]:.10g}", f"{ct.GetSpacing()[0]:.10g}"]
    image.SliceThickness = f"{ct.GetSpacing()[2]:.6g}"
    image.Rows, image.Columns = hu_YX.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
    image.RescaleSlope, image.RescaleIntercept = 1, _INTERCEPT
    image.PixelData = (hu_YX.astype(np.int32) - _INTERCEPT).astype("<u2").tobytes()
    return image
