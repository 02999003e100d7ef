"""Text of a DICOM file -> Unicode, whatever its SpecificCharacterSet says or fails to say."""

import re
import unicodedata

from pydicom.charset import convert_encodings, decode_bytes, python_encoding
from pydicom.config import strict_reading

from src.dicom.quiet import quiet_pydicom

# What ends a code extension inside a text, PS3.5 §6.1.2.5.3; pydicom's own set for LO.
_DELIMITERS = {0x09, 0x0A, 0x0C, 0x0D}
_MISSPELT = re.compile(r"ISO[ _-]*(2022)?[ _-]*IR[ _-]*(\d+)")


def decode_text(value: bytes, character_set: str) -> tuple[str, bool]:
    """A text value in Unicode.

    Args:
        value: as it stands in the file.
        character_set: SpecificCharacterSet as it stands in the file, values separated by backslashes; "" when absent.

    Returns:
        The text in one line: without blanks and NULs around it, with blanks for control characters; a backslash stays.
        And whether the bytes are what the character set says. Where they are not, they are read as UTF-8 if they can be and
        as Latin-1 otherwise, which is what exports with a missing or wrong character set hold.
    """
    try:
        text, as_declared = _decode_strictly(value, character_set), True
    except (LookupError, ValueError):  # UnicodeDecodeError is a ValueError
        text, as_declared = _guess(value), False
    return _in_one_line(text), as_declared


def _decode_strictly(value: bytes, character_set: str) -> str:
    terms = [_spelt_right(term) for term in character_set.split("\\")]
    if terms in ([""], ["ISO_IR 6"], ["ISO 2022 IR 6"]):
        return value.decode("ascii")
    if unknown := [term for term in terms if term not in python_encoding]:
        raise LookupError(f"{len(unknown)} unknown character sets")
    with quiet_pydicom(), strict_reading():
        return decode_bytes(value, convert_encodings(terms), _DELIMITERS)


def _spelt_right(term: str) -> str:
    """``ISO-IR 100``, ``iso_ir_100`` and the like as the standard spells them."""
    term = term.strip(" \0").upper()
    if term in ("UTF8", "UTF-8", "UTF_8"):
        return "ISO_IR 192"
    if match := _MISSPELT.fullmatch(term):
        return f"ISO 2022 IR {match[2]}" if match[1] else f"ISO_IR {match[2]}"
    return term


def _guess(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _in_one_line(text: str) -> str:
    """Control characters would forge lines of a log or steer a terminal."""
    return "".join(" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in text).strip()
