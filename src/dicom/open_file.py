"""One file as pydicom reads it: quietly, with its size bounded, and any failure as one of our errors."""

import struct
import zlib
from collections.abc import Sequence
from io import SEEK_END, BytesIO
from typing import BinaryIO, Literal

from pydicom import dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from src.dicom.objects import DicomFile
from src.dicom.quiet import quiet_pydicom
from src.errors import DicomError

MAX_FILE_BYTES = 2 << 30
MAX_INFLATED_BYTES = 512 << 20  # an RTSTRUCT of many thousand contours has a tenth of it; a deflated bomb has no end
_PREAMBLE_BYTES = 132
_META_BEGINS = b"\x02\0\0\0UL\x04\0"  # the group length of the file meta information, always the first element
_PIXEL_TAGS = (b"\xe0\x7f\x10\0", b"\x7f\xe0\0\x10")  # little and big endian
_UNDEFINED = 0xFFFFFFFF
Ending = Literal["pixels", "end", "neither"]


class NotDicom(DicomError):
    """A file that is none of ours: it does not begin as DICOM does."""


def open_header(file: DicomFile, tags: Sequence[int]) -> tuple[FileDataset, Ending]:
    """Some elements of one file, not yet converted; its pixels are not read.

    Args:
        file: what to read; with or without the preamble and the file meta information.
        tags: the elements wanted.

    Returns:
        The dataset; and what its elements lead to: whole ``pixels``, the ``end`` of the file, or what is ``neither``. pydicom
        takes a file that was cut off, or whose lengths are wrong, for a shorter one.

    Raises:
        NotDicom: it does not begin as DICOM does.
        DicomError: unreadable, or larger than ``MAX_FILE_BYTES``.
    """
    return _open(file, tags)


def open_dicom(file: DicomFile) -> FileDataset:
    """All elements of one file, not yet converted; of a file that ends early, what lies before the end.

    Raises:
        NotDicom, DicomError: as ``open_header``.
    """
    return _open(file, None)[0]


def _open(file: DicomFile, tags: Sequence[int] | None) -> tuple[FileDataset, Ending]:
    try:
        with file.path.open("rb") as stream:
            return _read(file, stream, tags)
    except DicomError:
        raise
    except Exception:  # what pydicom raises on broken files is not bounded; the cause may quote values, so it is cut off
        raise DicomError(f"{file.label}: expected readable DICOM, found a damaged file; export it again") from None


def _read(file: DicomFile, stream: BinaryIO, tags: Sequence[int] | None) -> tuple[FileDataset, Ending]:
    head = stream.read(1024)
    if _is_remnant(head):
        raise DicomError(f"{file.label}: expected DICOM, found a damaged beginning of it; export it again")
    if not _begins_as_dicom(head):
        raise NotDicom(f"{file.label}: expected a DICOM file, found another kind; it is left out")
    if stream.seek(0, SEEK_END) > MAX_FILE_BYTES:
        raise DicomError(f"{file.label}: larger than {MAX_FILE_BYTES >> 30} GiB, which no single image or RTSTRUCT is")
    stream.seek(0)
    with quiet_pydicom():
        if DeflatedExplicitVRLittleEndian.encode() in head:
            return _inflate(file, stream.read(), tags)
        dataset = dcmread(stream, force=True, stop_before_pixels=tags is not None, specific_tags=tags)
        return dataset, _ending(stream)


def _has_mark(head: bytes) -> bool:
    return head[128:_PREAMBLE_BYTES] == b"DICM"


def _is_remnant(head: bytes) -> bool:
    """A preamble that was cut off, or one with a damaged mark behind it."""
    cut_off = len(head) < _PREAMBLE_BYTES and not head[:128].strip(b"\0")
    return cut_off or (not _has_mark(head) and head[_PREAMBLE_BYTES:].startswith(_META_BEGINS))


def _begins_as_dicom(head: bytes) -> bool:
    """A preamble, or the low groups that come first in every object; anything else could be read as elements too."""
    return _has_mark(head) or (len(head) > 8 and head[:2] in (b"\x02\0", b"\x08\0", b"\0\x08"))


def _ending(stream: BinaryIO) -> Ending:
    place = stream.tell()
    size = stream.seek(0, SEEK_END)
    stream.seek(place)
    start = stream.read(12)
    if start[:4] not in _PIXEL_TAGS:
        return "end" if place == size else "neither"
    if len(start) < 12:
        return "neither"
    order = "<" if start[:4] == _PIXEL_TAGS[0] else ">"
    explicit = start[4:6] in (b"OW", b"OB")
    (length,) = struct.unpack_from(f"{order}L", start, 8 if explicit else 4)
    whole = length == _UNDEFINED or place + (12 if explicit else 8) + length <= size
    return "pixels" if whole else "neither"


def _inflate(file: DicomFile, content: bytes, tags: Sequence[int] | None) -> tuple[FileDataset, Ending]:
    """A file of the deflated syntax; pydicom would inflate it without bound.

    Source: DICOM PS3.5 section A.5 and PS3.10 section 7.1: the group length says where the file meta information ends.
    """
    tag, vr, length, meta_bytes = struct.unpack_from("<L2sHL", content, _PREAMBLE_BYTES)
    if (tag, vr, length) != (0x00000002, b"UL", 4):
        raise DicomError(f"{file.label}: expected the group length of the file meta information, found none; export it again")
    begin = _PREAMBLE_BYTES + 12 + meta_bytes
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(content[begin:], MAX_INFLATED_BYTES)
    if not inflater.eof:
        raise DicomError(f"{file.label}: cut off, or larger than {MAX_INFLATED_BYTES >> 20} MiB; export it uncompressed")
    stop = None if tags is None else lambda tag, vr, length: tag >= 0x7FE00008
    stream = BytesIO(inflated)
    dataset = read_dataset(stream, False, True, stop_when=stop, specific_tags=tags)
    meta = FileMetaDataset(read_dataset(BytesIO(content[_PREAMBLE_BYTES + 12 : begin]), False, True))
    opened = FileDataset("", dataset, b"\0" * 128, meta, is_implicit_VR=False, is_little_endian=True)
    return opened, _ending(stream)
