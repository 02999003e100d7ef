"""Stored values of a compressed image, by SimpleITK's GDCM: JPEG, JPEG-LS, JPEG 2000, RLE."""

import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.uid import UID, CTImageStorage

from src.dicom.codestream import read_codestream
from src.dicom.pixel_format import RLE_SYNTAX, PixelFormat
from src.dicom.quiet import quiet_decoders, quiet_pydicom
from src.errors import DicomError


def decode_compressed(dataset: FileDataset, pixels: PixelFormat) -> np.ndarray:
    """The stored values of one compressed image.

    GDCM is given a new file with the pixels alone: no name, no path and no other element of the header can reach it, and the
    rescaling stays ours. Its size is checked before, since a decoder believes the codestream.

    Returns:
        (rows, columns) int64.

    Raises:
        DicomError: cut off, of another size than the header says, or not decodable; does not name the file.
    """
    if pixels.bits_allocated != 16:
        raise DicomError("compressed pixels of more than 16 bits: export it uncompressed")
    frame = _frame(dataset)
    if pixels.transfer_syntax != RLE_SYNTAX:
        _check_codestream(frame, pixels)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slice.dcm"
        _write_pixels(path, dataset, pixels)
        values_YX = _decode(path)
    if values_YX.shape != (pixels.rows, pixels.columns):
        raise DicomError("its compressed pixels decode to another size than its header says")
    low = -(1 << (pixels.bits_stored - 1)) if pixels.signed else 0
    high = low + (1 << pixels.bits_stored) - 1
    if values_YX.min() < low or values_YX.max() > high:
        raise DicomError(f"its compressed pixels hold values that {pixels.bits_stored} bits cannot hold")
    return values_YX


def _check_codestream(frame: bytes, pixels: PixelFormat) -> None:
    """Another depth or sign than the header's shifts every value by a power of two."""
    coded = read_codestream(frame)
    if coded is None:
        raise DicomError("its compressed pixels are damaged or cut off")
    if (coded.rows, coded.columns, coded.components) != (pixels.rows, pixels.columns, 1):
        raise DicomError(
            f"expected compressed pixels of {pixels.rows} × {pixels.columns}, found {coded.rows} × {coded.columns} "
            f"and {coded.components} component{'s' * (coded.components > 1)}"
        )
    if coded.bits not in (pixels.bits_stored, pixels.bits_allocated) or coded.signed not in (pixels.signed, None):
        raise DicomError(f"its compressed pixels have {coded.bits} bits or a sign that its header contradicts")


def _frame(dataset: FileDataset) -> bytes:
    try:
        with quiet_pydicom():
            frames = list(generate_frames(dataset.PixelData, number_of_frames=1))
    except Exception:  # pydicom's reading of broken fragments may raise anything
        frames = []
    if len(frames) != 1:
        raise DicomError("its compressed pixels are damaged or cut off")
    return frames[0]


def _write_pixels(path: Path, dataset: FileDataset, pixels: PixelFormat) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, "2.25.1"
    meta.TransferSyntaxUID = UID(pixels.transfer_syntax)
    bare = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    bare.SOPClassUID, bare.SOPInstanceUID, bare.Modality = CTImageStorage, "2.25.1", "CT"
    bare.SamplesPerPixel, bare.PhotometricInterpretation = 1, "MONOCHROME2"
    bare.Rows, bare.Columns = pixels.rows, pixels.columns
    bare.BitsAllocated, bare.BitsStored, bare.HighBit = pixels.bits_allocated, pixels.bits_stored, pixels.high_bit
    bare.PixelRepresentation = int(pixels.signed)
    bare.PixelData = dataset.PixelData
    bare["PixelData"].VR = "OB"
    bare["PixelData"].is_undefined_length = True
    with quiet_pydicom():
        bare.save_as(path, enforce_file_format=True)


def _decode(path: Path) -> np.ndarray:
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetOutputPixelType(sitk.sitkInt32)
    reader.SetFileName(str(path))
    try:
        with quiet_decoders():
            image = reader.Execute()
    except RuntimeError:
        raise DicomError("its compressed pixels cannot be decoded") from None
    return np.squeeze(sitk.GetArrayFromImage(image), axis=0).astype(np.int64)
