"""The same key gives the same names for ever; nobody else may read it; without it nothing goes on."""

import csv
import os
import stat

import pytest

from src.data.dataset import check_name
from src.errors import DatasetError
from src.pseudonyms import pseudonym
from src.pseudonyms.private_files import private_folder, read_private, write_private
from src.pseudonyms.pseudonym import COLUMNS, Pseudonyms, refuse_lost_key

PATIENTS = [f"PID{number}" for number in range(40)]


@pytest.fixture
def folder(tmp_path):
    private_folder(tmp_path / "private")
    return tmp_path / "private"


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def row(case: str, patient: str = "PID1") -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | {"case": case, "patient": patient}


def test_the_same_key_gives_the_same_names_and_another_key_others(folder, tmp_path):
    names = Pseudonyms(folder, site="north").names_of(PATIENTS)
    again = Pseudonyms(folder, site="north").names_of(reversed(PATIENTS))
    assert names == again
    assert len(set(names.values())) == len(PATIENTS)
    for name in names.values():
        check_name("case", name)
        assert name.startswith("north_")
        assert len(name) == len("north_") + 8
    private_folder(tmp_path / "other")
    assert not set(Pseudonyms(tmp_path / "other", site="north").names_of(PATIENTS).values()) & set(names.values())


def test_two_patients_never_share_a_name_and_names_that_were_given_stay(folder, monkeypatch):
    monkeypatch.setattr(pseudonym, "MIN_DIGITS", 1)  # with one digit, 40 patients collide for certain
    first = Pseudonyms(folder, site="n")
    early = first.names_of(PATIENTS[20:])
    first.record({patient: row(case, patient) for patient, case in early.items()})
    names = Pseudonyms(folder, site="n").names_of(PATIENTS)
    assert len(set(names.values())) == len(PATIENTS)
    assert {patient: names[patient] for patient in early} == early


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_files_are_closed_to_others_from_their_first_byte_on_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_private(tmp_path / "secret", b"x")
    except PermissionError:
        assert umask == 0o777  # nobody but root may read what it made
        return
    finally:
        os.umask(before)
    assert mode(tmp_path / "secret") & 0o077 == 0


def test_the_folder_and_all_its_files_are_closed_to_others(folder):
    before = os.umask(0)
    try:
        private_folder(folder.parent / "open_umask")
        made = Pseudonyms(folder.parent / "open_umask", site="north")
        made.record({"PID1": row("north_1")})
        made.record_files([("file_0001", "a/b")])
    finally:
        os.umask(before)
    assert mode(folder.parent / "open_umask") == 0o700
    files = {path.name: mode(path) for path in (folder.parent / "open_umask").iterdir()}
    assert files == {"key": 0o600, "pseudonyms.csv": 0o600, "files.csv": 0o600}


@pytest.mark.parametrize("name", ["key", "pseudonyms.csv"])
def test_a_file_that_others_may_read_is_refused(folder, name):
    Pseudonyms(folder, site="north").record({"PID1": row("north_1")})
    (folder / name).chmod(0o640)
    with pytest.raises(DatasetError, match=r"mode 600.*found mode 640.*chmod 600"):
        Pseudonyms(folder, site="north")


def test_a_folder_that_others_may_enter_is_refused(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o750)
    with pytest.raises(DatasetError, match="found mode 750"):
        private_folder(tmp_path / "open")
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="found the file 'file'"):
        private_folder(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"no hex at all", b"ab" * 31, b"ab" * 33, b"\xff" * 64])
def test_a_damaged_key_is_refused_and_stays_as_it_is(folder, content):
    write_private(folder / "key", content)
    with pytest.raises(DatasetError, match="expected 64 hexadecimal digits"):
        Pseudonyms(folder, site="north")
    assert read_private(folder / "key") == content


def test_a_lost_key_is_refused(folder, tmp_path):
    with pytest.raises(DatasetError, match="would bring every patient in twice"):
        refuse_lost_key(folder, tmp_path / "north")
    Pseudonyms(folder, site="north")
    refuse_lost_key(folder, tmp_path / "north")


def test_earlier_patients_stay_in_the_listing_and_no_cell_is_a_formula(folder):
    Pseudonyms(folder, site="north").record({"PID1": row("north_2") | {"name": "=HYPERLINK(1)\n\0"}})
    Pseudonyms(folder, site="north").record({"PID2": row("north_1", "PID2")})
    with (folder / "pseudonyms.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [each["case"] for each in rows] == ["north_1", "north_2"]
    assert rows[1]["name"] == "'=HYPERLINK(1)\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    assert Pseudonyms(folder, site="north").known_cases() == {"north_1", "north_2"}


def test_a_listing_with_other_columns_is_refused(folder):
    Pseudonyms(folder, site="north")
    write_private(folder / "pseudonyms.csv", b"case,patient\nnorth_1,PID1\n")
    with pytest.raises(DatasetError, match="expected the columns case, patient"):
        Pseudonyms(folder, site="north")


def test_a_site_name_that_leaves_no_room_for_a_pseudonym_is_refused(folder):
    with pytest.raises(DatasetError, match="1 to 64"):
        Pseudonyms(folder, site="n" * 60)
