"""What identifies a patient is found however it is written, and organs keep their names whoever the patient is."""

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from data_prep.conversion.folded_text import FoldedText
from data_prep.conversion.ordinary_words import ordinary_words
from data_prep.conversion.redaction import REDACTED, Redactor
from src.data.structures import load_structures

IDENTIFIERS = [
    "Müller-Lüdenscheidt^Max",
    "PID7714242",
    "0012345",
    "19500217",
    "1.2.826.0.1.3680043.10.77",
    "Klinikum Dunkelwald",
    "Wu^Bo",
    "山田^太郎",
    "",
]
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüéßø"
SEPARATORS = st.sampled_from(["", " ", "_", "-", ".", ", ", "^", " / "])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Max_Mueller Ludenscheidt", REDACTED),
        ("LungeMÜLLER", f"Lunge{REDACTED}"),
        ("mullermax 2", f"{REDACTED} 2"),
        ("Mu\u0308ller PTV", f"{REDACTED} PTV"),
        ("MaxLung", f"{REDACTED}Lung"),
        ("LungMAX_L", f"Lung{REDACTED}_L"),
        ("max", REDACTED),
        ("Maxilla", "Maxilla"),
        ("climax", "climax"),
        ("PTV pid-771-4242", f"PTV {REDACTED}"),
        ("x7714242", f"x{REDACTED}"),
        ("12345", REDACTED),
        ("00-12345", REDACTED),
        ("1.2.826.0.1.3680043.10.77.5", f"{REDACTED}.5"),
        ("GTV 1950-02-17", f"GTV {REDACTED}"),
        ("GTV 17.02.1950", f"GTV {REDACTED}"),
        ("02/17/1950", REDACTED),
        ("19500217", REDACTED),
        ("x17021950x", f"x{REDACTED}x"),
        ("17.2.50 GTV", f"{REDACTED} GTV"),
        ("170250", REDACTED),
        ("500217", REDACTED),
        ("17 Feb 1950", REDACTED),
        ("17. février 1950", REDACTED),
        ("Feb 17, 1950", REDACTED),
        ("1170250", "1170250"),
        ("dunkelwaldLunge", f"{REDACTED}Lunge"),
        ("Wu", REDACTED),
        ("bo_wu", REDACTED),
        ("Wulst", "Wulst"),
        ("CTV 山田", f"CTV {REDACTED}"),
        ("Parotid_L", "Parotid_L"),
        ("", ""),
    ],
)
def test_forms_in_which_people_write_identifiers(text, expected):
    assert Redactor(IDENTIFIERS).redact(text) == expected


def _marks_dropped(text: str) -> str:
    return "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))


@given(
    name=st.lists(st.text(LETTERS, min_size=2, max_size=9), min_size=2, max_size=3, unique=True),
    around=st.tuples(st.sampled_from(["", "PTV ", "Lung_", "z", "9"]), st.sampled_from(["", " L", "_opt", "x", "7"])),
    separator=SEPARATORS,
    way=st.sampled_from([str, str.upper, str.title, _marks_dropped]),
    turned=st.booleans(),
)
def test_a_whole_name_never_stays(name, around, separator, way, turned):
    """First and last name side by side, in either order, whatever stands around and between them."""
    assume(sum(map(len, name[:2])) >= 4)
    redactor = Redactor(["^".join(name)])
    pair = name[1::-1] if turned else name[:2]
    long_enough = len("".join(pair)) >= 6 or not separator
    out = redactor.redact(around[0] + way(separator.join(pair)) + around[1])
    if long_enough:
        assert FoldedText("".join(pair)).letters not in FoldedText(out.replace(REDACTED, "^")).letters or any(
            FoldedText("".join(pair)).letters in word for word in ordinary_words()
        )
        assert REDACTED in out or any(FoldedText("".join(pair)).letters in word for word in ordinary_words())


@given(
    number=st.text("0123456789", min_size=4, max_size=12),
    separator=st.sampled_from(["", "-", " ", "."]),
    before=st.sampled_from(["", "PTV", "Lung ", "5_"]),
    cut=st.integers(1, 11),
)
def test_a_number_never_stays(number, separator, before, cut):
    separator = separator if len(number) >= 6 else ""
    text = before + number[:cut] + separator + number[cut:]
    out = Redactor([number]).redact(text)
    assert REDACTED in out
    assert number not in FoldedText(out).letters


@given(identifiers=st.lists(st.text(max_size=20), max_size=5), text=st.text(max_size=40))
@example(identifiers=["Patient^Test"], text="[patient] Test")
@example(identifiers=["İ^ŉ"], text="ŉİ")
def test_whatever_the_texts_redacting_twice_changes_nothing(identifiers, text):
    redactor = Redactor(identifiers)
    once = redactor.redact(text)
    assert redactor.redact(once) == once


@given(text=st.text(max_size=60))
def test_without_identifiers_a_text_stays_as_it_is(text):
    assert Redactor(["", " ", "^"]).redact(text) == text


def test_the_headings_of_a_table_of_names_are_no_ordinary_words():
    assert Redactor(["Order^Reverse"]).redact("PTV order, reverse") == f"PTV {REDACTED}"


@pytest.mark.parametrize("name", ["Lung^Heart", "Mund^Left", "Herz^Anna", "Roti^Ey", "Spin^Alco", "Kidney^L"])
def test_organs_keep_their_names_whoever_the_patient_is(name):
    redactor = Redactor([name, "PID771"])
    for structure in load_structures():
        for spelling in (structure.name, *structure.synonyms):
            assert redactor.redact(spelling) == spelling


def test_a_name_that_is_an_organ_is_taken_out_with_the_first_name():
    redactor = Redactor(["Heart^Ann"])
    assert redactor.redact("Heart") == "Heart"
    assert redactor.redact("Ann Heart") == redactor.redact("HEART, ANN") == REDACTED
    assert redactor.redact("Heart_Ann_L") == f"{REDACTED}_L"


def test_thousands_of_identifiers_cost_milliseconds_a_name(benchmark_seconds=2.0):
    from time import perf_counter

    redactor = Redactor(f"1.2.826.0.1.3680043.10.{number}" for number in range(3000))
    started = perf_counter()
    for number in range(100):
        redactor.redact(f"Parotid gland left {number}")
    assert perf_counter() - started < benchmark_seconds
