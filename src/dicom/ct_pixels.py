"""The HU of CT images: every slice by its own slope and intercept, exact, or refused."""

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import FileDataset
from pydicom.uid import ExplicitVRBigEndian

from src.dicom.compressed import decode_compressed
from src.dicom.element import raw_bytes
from src.dicom.objects import CTSlice, SliceStack
from src.dicom.open_file import open_dicom
from src.dicom.pixel_format import UNCOMPRESSED, PixelFormat, read_pixel_format
from src.errors import DicomError

_INT16 = np.iinfo(np.int16)


def read_ct(stack: SliceStack) -> sitk.Image:
    """The CT in HU on its own grid.

    PixelPaddingValue is not replaced: what lies outside the scanner's field of view stays what the file says, and the checks of
    a case warn of it.

    Args:
        stack: slices in order, as ``stack_slices`` makes it.

    Returns:
        Image of ``stack.grid``; int16 when every HU is whole and fits, else float32.

    Raises:
        DicomError: a slice's pixels are missing, cut off, of another size or not decodable; names the file.
    """
    width, height, depth = stack.grid.size
    hu_ZYX = np.empty((depth, height, width), np.int16)
    for z, image in enumerate(stack.slices):
        hu_YX = read_hu(image)
        if hu_ZYX.dtype == np.int16 and not _fits_int16(hu_YX):
            hu_ZYX = hu_ZYX.astype(np.float32)
        hu_ZYX[z] = hu_YX
    ct = sitk.GetImageFromArray(hu_ZYX)
    ct.SetSpacing(stack.grid.spacing_mm)
    ct.SetOrigin([float(value) for value in stack.grid.origin_mm])
    ct.SetDirection([float(value) for value in stack.grid.direction.ravel()])
    return ct


def read_hu(image: CTSlice) -> np.ndarray:
    """The HU of one slice.

    Returns:
        (rows, columns), int64 when slope and intercept are whole, else float64.

    Raises:
        DicomError: as ``read_ct``.
    """
    dataset = open_dicom(image.file)
    try:
        pixels = read_pixel_format(dataset)
        if (pixels.rows, pixels.columns) != (image.rows, image.columns):
            raise DicomError("the file was replaced while it was being converted")
        native = pixels.transfer_syntax in UNCOMPRESSED
        values_YX = _native_values(dataset, pixels) if native else decode_compressed(dataset, pixels)
    except DicomError as error:
        raise DicomError(f"{image.file.label}: {error}; export it again") from None
    if pixels.slope.is_integer() and pixels.intercept.is_integer():
        return values_YX * int(pixels.slope) + int(pixels.intercept)
    return values_YX * pixels.slope + pixels.intercept


def _native_values(dataset: FileDataset, pixels: PixelFormat) -> np.ndarray:
    """Stored values of an uncompressed image: the ``bits_stored`` below ``high_bit``; what is above is no part of them.

    Source: DICOM PS3.5 section 8.1.1; older files keep overlays in the bits above.
    """
    data = raw_bytes(dataset, "PixelData")
    if data is None:
        raise DicomError("it has no pixels, or ends before them")
    width = pixels.bits_allocated // 8
    expected = pixels.rows * pixels.columns * width
    if len(data) != expected:
        raise DicomError(f"expected {expected} bytes of pixels, found {len(data)}")
    endian = ">" if pixels.transfer_syntax == ExplicitVRBigEndian else "<"
    stored_YX = np.frombuffer(data, f"{endian}u{width}").astype(np.int64).reshape(pixels.rows, pixels.columns)
    values_YX = (stored_YX >> (pixels.high_bit + 1 - pixels.bits_stored)) & ((1 << pixels.bits_stored) - 1)
    if pixels.signed:
        values_YX -= (values_YX >> (pixels.bits_stored - 1)) << pixels.bits_stored
    return values_YX


def _fits_int16(hu_YX: np.ndarray) -> bool:
    if hu_YX.dtype.kind == "f" and not np.array_equal(hu_YX, np.round(hu_YX)):
        return False
    return bool(hu_YX.min() >= _INT16.min and hu_YX.max() <= _INT16.max)
