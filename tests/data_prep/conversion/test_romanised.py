"""A name in other letters is found in Latin ones."""

import pytest

from data_prep.conversion.redaction import REDACTED, Redactor
from data_prep.conversion.romanised import romanised


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Иванов^Пётр", ["Ivanov", "IWANOW", "ivanov petr", "Pyotr Ivanov"]),
        ("Щербакова^Юлия", ["Shcherbakova", "Schtscherbakowa", "Yuliya", "Iuliia", "Julija"]),
        ("Хрущёв^Никита", ["Khrushchev", "Hruscev", "Nikita"]),
        ("Παπαδόπουλος^Νίκος", ["Papadopoulos", "NIKOS PAPADOPOULOS"]),
        ("Ευαγγέλου^Θεοδώρα", ["Evangelou", "Theodora"]),
    ],
)
def test_names_in_other_letters(name, written):
    redactor = Redactor([name])
    for text in written:
        assert redactor.redact(f"PTV {text}") == f"PTV {REDACTED}"


@pytest.mark.parametrize("text", ["", "Müller^Max", "PID771", "山田^太郎", "O'Brien"])
def test_what_has_no_such_letters_has_no_other_form(text):
    assert romanised(text) == set()
