"""Names in the encodings that planning systems write, and in those that they wrongly declare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import python_encoding

from src.dicom.character_set import decode_text


@pytest.mark.parametrize(
    ("character_set", "value", "text"),
    [
        ("ISO_IR 100", "Rückenmark, Größe".encode("latin-1"), "Rückenmark, Größe"),
        ("ISO_IR 144", "Печень".encode("iso8859_5"), "Печень"),
        ("ISO_IR 192", "Œsophage 肝 Печень".encode(), "Œsophage 肝 Печень"),
        ("ISO_IR 126", "Ήπαρ".encode("iso8859_7"), "Ήπαρ"),
        # DICOM PS3.5 annex H.3: ASCII first, then kanji by escape sequences, back to ASCII before each separator.
        ("\\ISO 2022 IR 87", "肝臓".encode("iso2022_jp") + b" L", "肝臓 L"),
        ("ISO 2022 IR 6\\ISO 2022 IR 87", b"Leber " + "肝臓".encode("iso2022_jp"), "Leber 肝臓"),
        # Annex I: Korean, with the escape sequence first and two-byte characters in the upper half.
        ("\\ISO 2022 IR 149", b"\x1b$)C" + "간".encode("euc_kr"), "간"),
        ("GB18030", "肝脏".encode("gb18030"), "肝脏"),
        ("", b"GTV 1", "GTV 1"),
    ],
)
def test_declared_and_right(character_set, value, text):
    assert decode_text(value, character_set) == (text, True)


@pytest.mark.parametrize("character_set", ["ISO-IR 100", "iso_ir_100", "ISO IR 100", " ISO_IR 100 "])
def test_misspelt_character_sets(character_set):
    assert decode_text("Größe".encode("latin-1"), character_set) == ("Größe", True)


@pytest.mark.parametrize("character_set", ["", "ISO_IR 6", "NONSENSE", "ISO_IR 192", "ISO_IR 9999", "rot13", "zlib_codec"])
def test_latin_1_that_is_not_declared(character_set):
    assert decode_text("Größe".encode("latin-1"), character_set) == ("Größe", False)


@pytest.mark.parametrize("character_set", ["", "ISO_IR 6", "NONSENSE"])
def test_utf_8_that_is_not_declared(character_set):
    assert decode_text("Größe".encode(), character_set) == ("Größe", False)


def test_an_escape_sequence_that_is_not_declared():
    text, as_declared = decode_text("肝".encode("iso2022_jp"), "ISO_IR 100")
    assert not as_declared and "\x1b" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"  Liver \0\0", "Liver"),
        (b"", ""),
        (b"\0\0", ""),
        (b"a\\b", "a\\b"),
        (b"a\r\nb", "a  b"),
        (b"\x07bell", "bell"),
    ],
)
def test_one_line_without_padding(value, text):
    assert decode_text(value, "ISO_IR 192") == (text, True)


@given(
    st.binary(max_size=40), st.sampled_from([*sorted(python_encoding), "", "x", "\\ISO 2022 IR 87", "ISO_IR 192\\ISO_IR 100"])
)
def test_any_bytes_become_one_printable_line(value, character_set):
    text, _ = decode_text(value, character_set)
    assert len(text.splitlines()) <= 1 and "\0" not in text and "\x1b" not in text
    text.encode()


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))))
def test_utf_8_comes_back(text):
    assert decode_text(text.encode(), "ISO_IR 192") == (text.strip(), True)
