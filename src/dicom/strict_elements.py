"""The elements of a DICOM file as raw bytes, read strictly: every length has to fit exactly, or the file is refused.

Why not pydicom, which reads the CT: it takes a file that was cut off, or an item whose length is wrong, for a shorter one and
says nothing, so contours could vanish from an organ; it inflates deflated files without a bound and recurses without one; and
it makes an object of each number of the contours. Here a value stays bytes until it is asked for.

Source: DICOM PS3.5 §7 (elements, items, delimiters), §6.2.2 (UN is coded implicitly), annex A (transfer syntaxes); PS3.10 §7.
"""

import struct
import zlib
from dataclasses import dataclass

from src.dicom.objects import DicomFile
from src.errors import DicomError

MAX_FILE_BYTES = 512 * 2**20
MAX_ELEMENTS = 3_000_000
MAX_DEPTH = 16

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_BIG_ENDIAN = b"1.2.840.10008.1.2.2"
_LONG_FORMS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT_FORMS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_TRANSFER_SYNTAX = 0x00020010


@dataclass(frozen=True)
class _Coding:
    """How element headers are coded: with a value representation or without, and in which byte order."""

    explicit: bool
    order: str


_IMPLICIT = _Coding(False, "<")


class Elements:
    """The elements of a file or of one item of a sequence, by tag as one number (``0x30060050``)."""

    def __init__(self, reader: "_Reader", places: dict[int, tuple[bytes, int, int]], coding: _Coding) -> None:
        self._reader, self._places, self._coding = reader, places, coding

    def value(self, tag: int) -> bytes:
        """The bytes of a value as they stand in the file; b"" when absent or empty."""
        _, start, stop = self._places.get(tag, (b"", 0, 0))
        return self._reader.data[start:stop]

    def text(self, tag: int) -> str:
        """A value of plain letters and digits (UID, code, number) without padding; "" when absent or empty."""
        return self.value(tag).decode("latin-1").strip(" \0")

    def items(self, tag: int) -> "list[Elements]":
        """The items of a sequence, in order; [] when absent or empty.

        Raises:
            DicomError: it is no sequence, or its lengths do not fit.
        """
        form, start, stop = self._places.get(tag, (b"SQ", 0, 0))
        if form not in (b"", b"SQ", b"UN"):
            raise self._reader.damaged("holds a plain value where a sequence belongs")
        return self._reader.items(start, stop, _IMPLICIT if form == b"UN" else self._coding)


def open_elements(file: DicomFile) -> Elements:
    """The top level of a DICOM file: any uncompressed or deflated transfer syntax, with or without preamble.

    Raises:
        DicomError: unreadable, no DICOM, larger than ``MAX_FILE_BYTES``, or its lengths do not fit.
    """
    data = _read_bytes(file)
    start = 132 if data[128:132] == b"DICM" else 0
    reader = _Reader(file.label, data)
    meta, start = reader.file_meta(start)
    syntax = data[slice(*meta.get(_TRANSFER_SYNTAX, (b"", 0, 0))[1:])].strip(b" \0")
    if syntax == _DEFLATED:
        reader.data, start = reader.inflate(start), 0
    order = ">" if syntax == _BIG_ENDIAN else "<"
    # The data say whether they are explicit; headers have been seen to say otherwise, and files without header say nothing.
    coding = _Coding(reader.data[start + 4 : start + 6] in _LONG_FORMS | _SHORT_FORMS, order)
    places, _ = reader.elements(start, len(reader.data), coding, depth=0, delimited=False)
    return Elements(reader, places, coding)


def _read_bytes(file: DicomFile) -> bytes:
    try:
        size = file.path.stat().st_size if file.path.is_file() else -1
        if 0 <= size <= MAX_FILE_BYTES:
            return file.path.read_bytes()
    except OSError:
        size = -1
    # Outside of the handler: the system's own message holds the path.
    if size < 0:
        raise DicomError(f"{file.label}: expected a readable file, found none; check its permissions and export it again")
    raise DicomError(f"{file.label}: expected at most {MAX_FILE_BYTES >> 20} MiB, found {size >> 20} MiB; is it an RTSTRUCT?")


class _Reader:
    """Walks over the bytes of one file; where elements lie is kept as (value representation, start, stop)."""

    def __init__(self, label: str, data: bytes) -> None:
        self.label, self.data = label, data
        self._left = MAX_ELEMENTS

    def damaged(self, how: str) -> DicomError:
        return DicomError(f"{self.label}: expected a whole DICOM file, but it {how}; export it again")

    def file_meta(self, start: int) -> tuple[dict, int]:
        """Group 0002, explicit and little endian in any file, and where the dataset begins."""
        places, end = {}, start
        while self.data[end : end + 2] == b"\x02\0":
            tag, place, end = self._element(end, len(self.data), _Coding(True, "<"), 0)
            places[tag] = place
        if self.data[end : end + 2] not in (b"\x08\0", b"\0\x08") and not places:
            raise DicomError(f"{self.label}: expected a DICOM file, found something else")
        return places, end

    def inflate(self, start: int) -> bytes:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = inflater.decompress(self.data[start:], MAX_FILE_BYTES)
        except zlib.error:
            data = b""
        if not inflater.eof:
            raise self.damaged(f"cannot be inflated to at most {MAX_FILE_BYTES >> 20} MiB")
        return data

    def items(self, start: int, stop: int, coding: _Coding) -> list[Elements]:
        found = []
        while start < stop:
            self._spend()
            tag, length = self._item_header(start, stop, coding)
            if tag != _ITEM:
                raise self.damaged("holds something else where an item of a sequence belongs")
            delimited = length == _UNDEFINED
            end = stop if delimited else self._within(start + 8 + length, stop)
            places, start = self.elements(start + 8, end, coding, depth=1, delimited=delimited)
            found.append(Elements(self, places, coding))
        return found

    def elements(self, start: int, stop: int, coding: _Coding, *, depth: int, delimited: bool) -> tuple[dict, int]:
        """Where each element up to ``stop``, or up to the item's delimiter, lies; and where the next thing begins."""
        places = {}
        while delimited or start < stop:
            if delimited and self._item_header(start, stop, coding) == (_ITEM_END, 0):
                return places, start + 8
            if depth == 0 and self._only_zeros_from(start):
                break
            tag, place, start = self._element(start, stop, coding, depth)
            if tag in places:
                raise self.damaged(f"holds element {tag >> 16:04X},{tag & 0xFFFF:04X} twice")
            places[tag] = place
        return places, start

    def _only_zeros_from(self, start: int) -> bool:
        """Some archives pad files with zeros; no element has the tag 0000,0000."""
        return not self.data[start : start + 4].strip(b"\0") and not self.data[start:].strip(b"\0")

    def _element(self, start: int, stop: int, coding: _Coding, depth: int) -> tuple[int, tuple[bytes, int, int], int]:
        self._spend()
        tag, length = self._item_header(start, stop, coding)
        form, begin = b"", start + 8
        if tag >> 16 == 0xFFFE:
            raise self.damaged("holds an item outside of a sequence")
        if coding.explicit:
            form, length, begin = self._explicit(start, stop, coding)
        if length == _UNDEFINED:
            end = self._end_of_sequence(begin, stop, _IMPLICIT if form == b"UN" else coding, depth + 1)
            return tag, (form, begin, end), end + 8
        end = self._within(begin + length, stop)
        return tag, (form, begin, end), end

    def _explicit(self, start: int, stop: int, coding: _Coding) -> tuple[bytes, int, int]:
        form = self.data[start + 4 : start + 6]
        if form in _LONG_FORMS:
            self._within(start + 12, stop)
            return form, struct.unpack_from(coding.order + "I", self.data, start + 8)[0], start + 12
        if form not in _SHORT_FORMS:
            raise self.damaged("holds an element of an unknown value representation")
        return form, struct.unpack_from(coding.order + "H", self.data, start + 6)[0], start + 8

    def _end_of_sequence(self, start: int, stop: int, coding: _Coding, depth: int) -> int:
        """Where the delimiter of a sequence of undefined length begins."""
        if depth > MAX_DEPTH:
            raise self.damaged(f"nests sequences more than {MAX_DEPTH} deep")
        while (header := self._item_header(start, stop, coding)) != (_SEQUENCE_END, 0):
            tag, length = header
            if tag != _ITEM:
                raise self.damaged("holds something else where an item of a sequence belongs")
            self._spend()
            if length == _UNDEFINED:
                _, start = self.elements(start + 8, stop, coding, depth=depth, delimited=True)
            else:
                start = self._within(start + 8 + length, stop)
        return start

    def _item_header(self, start: int, stop: int, coding: _Coding) -> tuple[int, int]:
        """Tag and 32-bit length at a place; the length means nothing for an explicit element."""
        self._within(start + 8, stop)
        group, element, length = struct.unpack_from(coding.order + "HHI", self.data, start)
        return group << 16 | element, length

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise self.damaged(f"holds more than {MAX_ELEMENTS} elements and items")

    def _within(self, end: int, stop: int) -> int:
        if end > stop:
            raise self.damaged("ends in the middle of an element, or a length in it is wrong")
        return end
