"""How the pixels of one CT image are coded, and how they become HU."""

from dataclasses import dataclass

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from src.dicom.element import raw_bytes, read_integer, read_integer_or, read_numbers, read_text, tag_of
from src.errors import DicomError

MAX_SIDE_PIXELS = 8192
MAX_SLOPE = 1e3
MAX_INTERCEPT = 1e6
UNCOMPRESSED = frozenset(
    map(str, (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian))
)
# What SimpleITK's GDCM decodes: JPEG baseline, extended, lossless, lossless SV1; JPEG-LS lossless, near-lossless; JPEG 2000
# lossless, lossy; RLE. PS3.6 table A-1.
JPEG_SYNTAXES = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91))
RLE_SYNTAX = "1.2.840.10008.1.2.5"
_ALWAYS_LOSSY = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 81))


@dataclass(frozen=True, kw_only=True)
class PixelFormat:
    """How stored values are coded; HU = slope · value + intercept.

    Attributes:
        rows, columns: size in pixels.
        bits_allocated: 16 or 32 bits of each pixel in the file.
        bits_stored, high_bit: which of them are the value: ``bits_stored`` downwards from bit ``high_bit``.
        signed: whether the value is a two's complement.
        slope, intercept: finite; slope above zero.
        transfer_syntax: UID of how the pixels are coded.
    """

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    slope: float
    intercept: float
    transfer_syntax: str


def read_pixel_format(dataset: FileDataset) -> PixelFormat:
    """The pixel format of one single-frame CT image.

    Raises:
        DicomError: absent, contradictory, or one whose voxels would not be HU; says why, without naming the file.
            Source: DICOM PS3.3 C.7.6.3 (Image Pixel), C.8.2.1 (CT Image).
    """
    _refuse_other_kinds(dataset)
    rows, columns = read_integer(dataset, "Rows"), read_integer(dataset, "Columns")
    if not (2 <= rows <= MAX_SIDE_PIXELS and 2 <= columns <= MAX_SIDE_PIXELS):
        raise DicomError(f"expected 2 to {MAX_SIDE_PIXELS} rows and columns, found {rows} × {columns}")
    allocated, stored = read_integer(dataset, "BitsAllocated"), read_integer(dataset, "BitsStored")
    high_bit = read_integer_or(dataset, "HighBit", stored - 1)
    if allocated not in (16, 32) or not 1 <= stored <= allocated or not stored - 1 <= high_bit < allocated:
        raise DicomError(f"expected CT pixels of 16 bits, found {allocated} allocated, {stored} stored, high bit {high_bit}")
    signed = read_integer(dataset, "PixelRepresentation")
    if signed not in (0, 1):
        raise DicomError(f"expected 0 or 1 as its PixelRepresentation, found {signed}")
    slope, intercept = _rescale(dataset)
    return PixelFormat(
        rows=rows,
        columns=columns,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high_bit,
        signed=bool(signed),
        slope=slope,
        intercept=intercept,
        transfer_syntax=_transfer_syntax(dataset),
    )


def pixel_notes(dataset: Dataset, transfer_syntax: str) -> tuple[str, ...]:
    """What a person should know of the voxels of one image."""
    notes = []
    lossy = read_text(dataset, "LossyImageCompression")
    if lossy == "01" or (transfer_syntax in _ALWAYS_LOSSY and lossy != "00"):
        notes.append("was compressed with loss: its HU are approximate")
    if read_text(dataset, "RescaleType").upper() == "US":
        notes.append("does not say that its rescaled values are HU (RescaleType US)")
    return tuple(notes)


def _refuse_other_kinds(dataset: Dataset) -> None:
    if (frames := read_integer_or(dataset, "NumberOfFrames", 1)) != 1:
        raise DicomError(f"multi-frame CT ({frames} frames): export it as single images")
    if (samples := read_integer(dataset, "SamplesPerPixel")) != 1:
        raise DicomError(f"expected one sample per pixel, found {samples}: a coloured picture, no CT")
    if (photometric := read_text(dataset, "PhotometricInterpretation").upper()) != "MONOCHROME2":
        kind = photometric if photometric == "MONOCHROME1" else "something else"
        raise DicomError(f"expected MONOCHROME2 as its PhotometricInterpretation, found {kind}")
    if tag_of("ModalityLUTSequence") in dataset:
        raise DicomError("a Modality LUT in place of slope and intercept: its voxels are no HU that can be trusted")
    if read_text(dataset, "RescaleType").upper() not in ("", "HU", "US"):
        raise DicomError("its RescaleType is not HU: a map of something else than attenuation")


def _rescale(dataset: Dataset) -> tuple[float, float]:
    slope, intercept = read_numbers(dataset, "RescaleSlope", 1)[0], read_numbers(dataset, "RescaleIntercept", 1)[0]
    if not 1 / MAX_SLOPE**2 <= slope <= MAX_SLOPE:
        raise DicomError(f"expected a RescaleSlope near 1, found {slope:g}")
    if abs(intercept) > MAX_INTERCEPT:
        raise DicomError(f"expected a RescaleIntercept near -1024, found {intercept:g}")
    return slope, intercept


def _transfer_syntax(dataset: FileDataset) -> str:
    stated = (raw_bytes(dataset.file_meta, "TransferSyntaxUID") or b"").decode("latin-1").strip(" \0")
    if not stated:
        implicit, little = dataset.original_encoding
        return str(ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian)
    if stated not in UNCOMPRESSED | JPEG_SYNTAXES | {RLE_SYNTAX}:
        raise DicomError("pixels compressed in a way that cannot be read here: export it uncompressed")
    return stated
