"""The command ``names`` on small exports and on real RTSTRUCTs."""

import csv
import os

import numpy as np
import pytest

from data_prep.__main__ import main
from data_prep.naming.names_file import read_names
from tests.conftest import SHARED_DATA
from tests.small_export import SmallPatient, write_export, write_rtstruct


def patient(number: int, *names: str, empty: tuple[str, ...] = ()) -> SmallPatient:
    made = SmallPatient(number=number)
    made.rois = {**{name: made.cylinder((12, 10), 6, 2, 4) for name in names}, **{name: [] for name in empty}}
    return made


@pytest.fixture
def export(tmp_path):
    """Three patients: one with a doubled name, one with identifiers in its names, one as it should be."""
    return write_export(
        tmp_path / "export",
        patient(1, "Parotid_L", "Parotis li", "Parotis", "PTV_70", "Leber"),
        patient(2, "parotid l", "Myelon", "Larynx Zwiebelfisch2", "[red]x[/red]", empty=("Marker Q",)),
        patient(3, "Parotid_L", "Myelon", "Zunge", "quux, Höhle;"),
    )


def run(tmp_path, export, *more: str, name="names.csv"):
    code = main(["names", "--input", str(export), "--anatomy", "head_neck", "--output", str(tmp_path / name), *more])
    with (tmp_path / name).open(encoding="utf-8-sig", newline="") as file:
        return code, {row["native"]: row for row in csv.DictReader(file)}


def test_every_name_is_listed_once_and_what_needs_a_decision_first(tmp_path, export, capsys):
    code, rows = run(tmp_path, export)
    assert code == 0
    found = {native: (row["tg263"], row["confidence"], row["patients"]) for native, row in rows.items()}
    assert found == {
        "Parotid_L": ("?", "ambiguous", "3"),
        "Parotis": ("?", "ambiguous", "1"),
        "Parotis li": ("?", "ambiguous", "1"),
        "Larynx [patient]": ("?", "suggestion", "1"),
        "[red]x[/red]": ("?", "unknown", "1"),
        "quux, Höhle;": ("?", "unknown", "1"),
        "Myelon": ("SpinalCord", "rewritten", "2"),
        "Leber": ("Liver", "other_anatomy", "1"),
        "Zunge": ("", "other_anatomy", "1"),
        "PTV_70": ("", "planning", "1"),
    }
    assert list(rows) == list(found)
    assert "in 1 of 3 patients" in rows["Parotid_L"]["why"]
    shown = capsys.readouterr().out
    assert "10 names, 6 to decide" in shown and "[red]x[/red]" in shown
    assert "without contours, so not listed: Marker Q" in shown


def test_nothing_identifying_is_shown_or_written(tmp_path, export, capfd):
    run(tmp_path, export)
    captured = capfd.readouterr()
    told = captured.out + captured.err + (tmp_path / "names.csv").read_text(encoding="utf-8")
    for number in (1, 2, 3):
        for value in SmallPatient(number=number).identifiers.values():
            assert not [part for part in value.split("^") if part.lower() in told.lower()]


def test_given_back_unedited_it_changes_no_decision(tmp_path, export):
    _, before = run(tmp_path, export)
    code, after = run(tmp_path, export, "--names", str(tmp_path / "names.csv"), name="again.csv")
    assert code == 0
    assert {native: row["tg263"] for native, row in after.items()} == {native: row["tg263"] for native, row in before.items()}
    names = read_names(tmp_path / "names.csv")
    assert "parotis" not in names and names["leber"] == "Liver" and names["ptv70"] is None


def test_an_edited_one_settles_what_was_open(tmp_path, export):
    run(tmp_path, export)
    content = (tmp_path / "names.csv").read_text(encoding="utf-8")
    for native, decided in (("Parotid_L", "Parotid_L"), ("Parotis li", ""), ("Parotis", "")):
        content = content.replace(f"{native},?", f"{native},{decided}")
    (tmp_path / "edited.csv").write_text(content, encoding="utf-8")
    _, rows = run(tmp_path, export, "--names", str(tmp_path / "edited.csv"), name="again.csv")
    assert {native: rows[native]["tg263"] for native in ("Parotid_L", "Parotis li", "Parotis")} == {
        "Parotid_L": "Parotid_L",
        "Parotis li": "",
        "Parotis": "",
    }


def test_a_file_is_never_overwritten(tmp_path, export, capsys):
    (tmp_path / "names.csv").write_text("native,tg263\nmine,Larynx\n")
    assert main(["names", "--input", str(export), "--anatomy", "liver", "--output", str(tmp_path / "names.csv")]) == 1
    assert "'names.csv', which stays as it is" in capsys.readouterr().err
    assert (tmp_path / "names.csv").read_text() == "native,tg263\nmine,Larynx\n"


def test_an_rtstruct_that_cannot_be_read_is_told_and_the_others_are_listed(tmp_path, export, capsys):
    path = write_rtstruct(export / "0_broken", patient(4, "Larynx"))
    path.write_bytes(path.read_bytes()[:-700])
    code, rows = run(tmp_path, export)
    captured = capsys.readouterr().out
    assert code == 1 and "Myelon" in rows
    assert captured.count("if it is an RTSTRUCT, its names are missing above") == 1 and "file_0001: " in captured
    assert "files.csv of the private folder that 'convert' makes" in captured  # a label alone leads nowhere


def test_a_file_that_cannot_be_looked_into_may_be_an_rtstruct_and_a_pipe_is_none(tmp_path, export, capsys):
    os.mkfifo(export / "0_pipe")  # whoever opens it waits for ever
    (export / "1_empty").touch()
    (export / "2_gone").symlink_to(tmp_path / "nowhere")
    (export / "3_notes.txt").write_text("Larynx")
    code, _ = run(tmp_path, export)
    told = capsys.readouterr().out
    assert code == 1 and told.count("its names are missing above") == 2
    assert "file_0002: an empty file" in told and "file_0003: a link to nothing" in told


def test_a_folder_without_rtstruct_is_refused(tmp_path, capsys):
    write_export(tmp_path / "export", patient(1))
    for path in (tmp_path / "export").rglob("RS.dcm"):
        path.unlink()
    assert main(["names", "--input", str(tmp_path / "export"), "--anatomy", "liver"]) == 1
    assert "expected an RTSTRUCT with contours" in capsys.readouterr().err


def test_the_real_rtstructs(tmp_path):
    folder = SHARED_DATA / "rtstruct_only"
    if not folder.is_dir():
        pytest.skip("the real RTSTRUCTs are not on this machine (../shared/data/rtstruct_only)")
    code = main(["names", "--input", str(folder), "--anatomy", "liver", "--output", str(tmp_path / "names.csv")])
    with (tmp_path / "names.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["native"]: row["tg263"] for row in csv.DictReader(file)}
    assert code == 0
    assert {native: name for native, name in rows.items() if name} == {
        "Spinal cord": "SpinalCord",
        "Esophagus": "Esophagus",
        "Heart": "Heart",
        "Lung L": "Lung_L",
        "Lung R": "Lung_R",
        "Lt Lung": "Lung_L",
        **{f"ROI-{number}": "?" for number in range(1, 5)},
    }
    assert np.all([not rows[name] for name in ("GTV-1", "PTV-1", "CTV-2", "BODY", "Patient", "contrast", "Breast", "Nodes")])
