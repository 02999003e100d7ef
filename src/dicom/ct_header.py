"""The header of one CT image, every number of it checked."""

import numpy as np
from pydicom.dataset import FileDataset

from src.dicom.element import read_numbers, read_text, read_words
from src.dicom.objects import CTSlice, DicomFile
from src.dicom.pixel_format import pixel_notes, read_pixel_format
from src.errors import DicomError

CT_KEYWORDS = (
    "ImageType",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "NumberOfFrames",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "ModalityLUTSequence",
    "LossyImageCompression",
)
PIXEL_SPACING_MM = (0.05, 20.0)
MAX_POSITION_MM = 1e5
ORTHONORMAL = 1e-3  # directions written with four decimals are this exact


def read_ct_slice(file: DicomFile, dataset: FileDataset) -> CTSlice:
    """One single-frame CT image.

    Raises:
        DicomError: it cannot be a slice of a volume; says why, without naming the file.
    """
    pixels = read_pixel_format(dataset)
    row_direction, column_direction = _directions(dataset)
    position_mm = np.array(read_numbers(dataset, "ImagePositionPatient", 3))
    if np.abs(position_mm).max() > MAX_POSITION_MM:
        raise DicomError(f"its ImagePositionPatient is more than {MAX_POSITION_MM / 1000:g} m away")
    row_spacing_mm, column_spacing_mm = _spacing_mm(dataset)
    return CTSlice(
        file=file,
        sop_uid=read_text(dataset, "SOPInstanceUID"),
        series_uid=read_text(dataset, "SeriesInstanceUID"),
        study_uid=read_text(dataset, "StudyInstanceUID"),
        frame_uid=read_text(dataset, "FrameOfReferenceUID"),
        image_type=read_words(dataset, "ImageType"),
        rows=pixels.rows,
        columns=pixels.columns,
        position_mm=position_mm,
        row_direction=row_direction,
        column_direction=column_direction,
        row_spacing_mm=row_spacing_mm,
        column_spacing_mm=column_spacing_mm,
        transfer_syntax=pixels.transfer_syntax,
        notes=pixel_notes(dataset, pixels.transfer_syntax),
    )


def _directions(dataset: FileDataset) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors at exactly right angles, from ones that are so within their decimals."""
    row, column = np.reshape(read_numbers(dataset, "ImageOrientationPatient", 6), (2, 3))
    products = np.array([row @ row - 1, column @ column - 1, row @ column])
    if not np.abs(products).max() < 2 * ORTHONORMAL:
        raise DicomError("the directions in its ImageOrientationPatient are no unit vectors at right angles")
    row = row / np.linalg.norm(row)
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def _spacing_mm(dataset: FileDataset) -> tuple[float, float]:
    low, high = PIXEL_SPACING_MM
    spacing_mm = read_numbers(dataset, "PixelSpacing", 2)
    if not all(low <= value <= high for value in spacing_mm):
        raise DicomError(f"expected pixels of {low:g} to {high:g} mm, found {spacing_mm[0]:g} × {spacing_mm[1]:g} mm")
    return spacing_mm[0], spacing_mm[1]
