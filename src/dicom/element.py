"""Values of single elements, from the bytes in the file: pydicom's own conversion warns, guesses and raises as it likes."""

import math
import re
import struct
from collections.abc import Sequence

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset

from src.dicom.quiet import quiet_pydicom
from src.errors import DicomError

# PS3.5 table 6.2-1: decimal and integer strings; Python's float() takes more ("nan", "1_000").
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_BINARY = {"US": ("H", 2), "SS": ("h", 2), "UL": ("L", 4), "SL": ("l", 4)}
_TEXT = ("DS", "IS")


def tag_of(keyword: str) -> int:
    """Tag of an attribute of the DICOM dictionary."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag


def raw_bytes(dataset: Dataset, keyword: str) -> bytes | None:
    """The value as it stands in the file, None when the element is absent.

    Raises:
        DicomError: the file ends inside it, or it is a sequence.
    """
    item = dataset.get_item(tag_of(keyword))
    if item is None:
        return None
    value = item.value
    if value is None or value == "":  # of an empty name, pydicom makes a PersonName
        value = b""
    if isinstance(value, str):  # the few elements that pydicom itself needs while it reads
        return value.encode("latin-1", errors="replace")
    if not isinstance(value, bytes) or (getattr(item, "length", -1) not in (len(value), 0xFFFFFFFF, -1)):
        raise DicomError(f"{keyword} is cut off or no plain value")
    return value


def read_text(dataset: Dataset, keyword: str) -> str:
    """An identifier, code or date without blanks and NULs around it; "" when absent, empty or broken."""
    try:
        value = raw_bytes(dataset, keyword)
    except DicomError:
        return ""
    return (value or b"").decode("latin-1").strip(" \0\t\r\n")


def read_words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The words of a code string of several values, in upper case; empty when absent."""
    return tuple(word.strip(" \0").upper() for word in read_text(dataset, keyword).split("\\") if word.strip(" \0"))


def read_numbers(dataset: Dataset, keyword: str, count: int) -> list[float]:
    """A decimal, integer or binary integer element of exactly ``count`` finite values.

    Raises:
        DicomError: absent, of another type or number, or not finite; says which attribute, never its value.
    """
    value = raw_bytes(dataset, keyword)
    kind = _kind(dataset, keyword)
    # NUL bytes are the number 0 in binary, and nothing in text.
    if value is None or not (value.strip(b" \0") if kind in _TEXT else value):
        raise DicomError(f"it has no {keyword}")
    numbers = _binary(dataset, value, kind) if kind in _BINARY else _decimals(value)
    if numbers is None or len(numbers) != count:
        raise DicomError(f"expected {count} number{'s' * (count > 1)} as its {keyword}, found something else")
    if not all(math.isfinite(number) for number in numbers):
        raise DicomError(f"its {keyword} is not finite")
    return numbers


def read_integer(dataset: Dataset, keyword: str) -> int:
    """One integer; see ``read_numbers``."""
    number = read_numbers(dataset, keyword, 1)[0]
    if number != int(number):
        raise DicomError(f"expected a whole number as its {keyword}")
    return int(number)


def read_integer_or(dataset: Dataset, keyword: str, default: int) -> int:
    """One integer, ``default`` when the element is absent or empty.

    Raises:
        DicomError: it is there and no integer.
    """
    return read_integer(dataset, keyword) if raw_bytes(dataset, keyword) else default


def read_items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence; none when it is absent, empty or broken."""
    try:
        with quiet_pydicom():
            element = dataset.get(tag_of(keyword))
            items = [] if element is None or element.VR != "SQ" or element.value is None else list(element.value)
    except Exception:  # pydicom's conversion of a broken sequence may raise anything
        return []
    return [item for item in items if isinstance(item, Dataset)]


def _kind(dataset: Dataset, keyword: str) -> str:
    """The value representation to read it by.

    Raises:
        DicomError: the file says one of another kind than the dictionary.
    """
    expected = dictionary_VR(tag_of(keyword)).split(" ")[0]
    stated = getattr(dataset.get_item(tag_of(keyword)), "VR", None)
    if stated in (None, "UN"):
        return expected
    if (stated in _BINARY) != (expected in _BINARY) or stated not in (*_BINARY, *_TEXT):
        raise DicomError(f"its {keyword} has the wrong type")
    return str(stated)


def _binary(dataset: Dataset, value: bytes, kind: str) -> list[float] | None:
    code, width = _BINARY[kind]
    if not value or len(value) % width:
        return None
    endian = "<" if dataset.original_encoding[1] in (True, None) else ">"
    return [float(number) for number in struct.unpack(f"{endian}{len(value) // width}{code}", value)]


def _decimals(value: bytes) -> list[float] | None:
    words = [word.strip(" \0") for word in value.decode("latin-1").split("\\")]
    if not all(len(word) <= 64 and _NUMBER.fullmatch(word) for word in words):
        return None
    return [float(word) for word in words]
