"""The size that a compressed image states of itself: a decoder allocates by it, whatever the DICOM header says."""

import struct
from dataclasses import dataclass

# ITU-T T.81 table B.1 and T.87: start of frame of every JPEG and JPEG-LS process; C4, C8 and CC are no frames.
_JPEG_FRAMES = frozenset([*range(0xC0, 0xD0), 0xF7]) - {0xC4, 0xC8, 0xCC}
_JPEG_2000 = b"\xff\x4f\xff\x51"  # ITU-T T.800: start of codestream, image and tile size
_END = b"\xff\xd9"  # end of image in T.81 and T.87, end of codestream in T.800


@dataclass(frozen=True, kw_only=True)
class CodedImage:
    """What a codestream says of itself.

    Attributes:
        rows, columns, components: its size.
        bits: of each value.
        signed: whether values are below zero too; None where the coding does not say (JPEG, JPEG-LS).
    """

    rows: int
    columns: int
    components: int
    bits: int
    signed: bool | None


def read_codestream(data: bytes) -> CodedImage | None:
    """The size stated in a JPEG, JPEG-LS or JPEG 2000 codestream; None when it is none of these or has no end."""
    data = data.rstrip(b"\0")
    # Padding to an even length is one byte, of any value.
    if _END not in (data[-2:], data[-3:-1]):
        return None
    try:
        if data.startswith(_JPEG_2000):
            return _jpeg_2000(data)
        return _jpeg(data) if data.startswith(b"\xff\xd8") else None
    except (struct.error, IndexError):
        return None


def _jpeg_2000(data: bytes) -> CodedImage:
    right, bottom, left, top = struct.unpack_from(">4L", data, 8)
    components, depth = struct.unpack_from(">HB", data, 40)
    return CodedImage(
        rows=bottom - top, columns=right - left, components=components, bits=(depth & 0x7F) + 1, signed=bool(depth & 0x80)
    )


def _jpeg(data: bytes) -> CodedImage | None:
    place = 2
    while data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # fill bytes before a marker
            place += 1
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        if marker in _JPEG_FRAMES:
            bits, rows, columns, components = struct.unpack_from(">BHHB", data, place + 4)
            return CodedImage(rows=rows, columns=columns, components=components, bits=bits, signed=None)
        place += 2 + length
    return None
