"""Nothing in a shown text acts on a terminal, a browser or a reader."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.conversion.printable import printable, shortened, volume_text


@given(st.text(st.characters(exclude_categories=())))
def test_no_control_character_is_left(text):
    shown = printable(text)
    assert not [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    shown.encode("utf-8")


def test_a_harmless_name_stays_as_it_is():
    assert printable("Moëlle épinière, 'L' <5 mm> Ω") == "Moëlle épinière, 'L' <5 mm> Ω"


def test_what_acts_becomes_a_sign():
    assert printable("a\nb\x1b[2J‮") == "a␊b␛[2J⟨U+202E⟩"


def test_a_long_text_is_cut():
    assert len(printable("x" * 100_000)) < 400


@given(st.text(max_size=60), st.integers(5, 40))
def test_shortened_is_a_beginning_no_longer_than_asked_for(text, longest):
    shown = shortened(text, longest)
    assert len(shown) <= longest
    assert shown == text or (shown.endswith("…") and text.startswith(shown[:-1]))


def test_shortened_cuts_between_words():
    assert shortened("expected one CT series, found two", 20) == "expected one CT…"


@pytest.mark.parametrize(("cm3", "shown"), [(None, "–"), (0.0, "0.00"), (0.1734, "0.17"), (28.25, "28.2"), (1534.2, "1534")])
def test_volume_text(cm3, shown):
    assert volume_text(cm3) == shown
