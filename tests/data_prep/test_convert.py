"""The command: what it writes, what it does again, and what it refuses to touch."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.__main__ import main
from data_prep.conversion.every_patient import VANISHED
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from tests.small_export import SmallPatient, write_export


def small_patient(number: int) -> SmallPatient:
    patient = SmallPatient(number=number)
    rois = {"Spinal cord": patient.cylinder((12, 10), 8, 2, 7), "Lung L": patient.cylinder((17, 10), 6, 2, 7)}
    return replace(patient, rois=rois)


def patient_folder(export: Path, number: int) -> Path:
    return export / small_patient(number).identifiers["PatientName"]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Site:
    """An export and where it is converted to."""

    def __init__(self, folder: Path) -> None:
        self.export, self.output, self.private = folder / "in", folder / "out", folder / "out_private"
        write_export(self.export, small_patient(1), small_patient(2))

    def convert(self, *more: str, anatomy: str = "liver") -> int:
        folders = ["--input", str(self.export), "--output", str(self.output)]
        return main(["convert", *folders, "--site", "north", "--anatomy", anatomy, "--jobs", "2", *more])

    def stored(self) -> dict[str, dict]:
        return {path.stem: json.loads(path.read_text()) for path in sorted((self.output / "conversion").glob("*.json"))}

    def case_of(self, number: int) -> str:
        lines = (self.private / "pseudonyms.csv").read_text().splitlines()
        return next(line for line in lines if small_patient(number).identifiers["PatientID"] in line).split(",")[0]

    def ages(self) -> dict[str, int]:
        return {path.parent.name: path.stat().st_mtime_ns for path in self.output.glob("cases/*/ct.nii.gz")}


@pytest.fixture
def site(tmp_path) -> Site:
    return Site(tmp_path)


def test_an_export_becomes_a_dataset_and_a_report(site, capsys):
    assert site.convert() == 0
    out = capsys.readouterr().out
    assert "2 of 2 patients converted" in out
    dataset = Dataset.open(site.output)
    assert (dataset.site, dataset.anatomy, len(dataset.cases)) == ("north", "liver", 2)
    for case, record in dataset.cases.items():
        assert record.structures == ("Lung_L", "SpinalCord")
        assert record.split is None
        assert dataset.read_ct(case).GetSize() == (24, 20, 10)
        for name in record.structures:
            dataset.read_mask(case, name)
        assert list(record.checks) == site.stored()[case]["outcome"]["warnings"] != []
    report = (site.output / "conversion_report.html").read_text()
    assert all(case in report for case in dataset.cases)
    assert {path.name for path in site.output.iterdir()} == {"cases", "conversion", "conversion_report.html", "dataset.json"}
    assert {path.name for path in site.private.iterdir()} == {"key", "lock", "pseudonyms.csv", "files.csv"}
    assert "RS.dcm" in (site.private / "files.csv").read_text()
    assert main(["split", str(site.output)]) in (0, 1)  # it is a dataset to the other commands


def test_what_is_done_is_not_done_again_and_a_split_stays(site):
    assert site.convert() == 0
    cases = list(Dataset.open(site.output).cases)
    DatasetWriter(site.output, anatomy="liver", site="north").set_splits({cases[0]: "train", cases[1]: "test"})
    before, ages = tree(site.output), site.ages()
    assert site.convert() == 0
    assert tree(site.output) == before
    assert site.ages() == ages
    (changed,) = patient_folder(site.export, 1).glob("RS.dcm")
    moved = replace(small_patient(1), rois={"Heart": small_patient(1).cylinder((12, 10), 8, 2, 7)})
    shutil.rmtree(changed.parent)
    write_export(site.export, moved)
    assert site.convert() == 0
    case = site.case_of(1)
    assert {name for name, age in site.ages().items() if age != ages[name]} == {case}
    after = Dataset.open(site.output)
    assert after.cases[case].structures == ("Heart",)
    assert {name: record.split for name, record in after.cases.items()} == {cases[0]: "train", cases[1]: "test"}


def test_other_options_convert_everybody_again(site, tmp_path):
    assert site.convert() == 0
    ages = site.ages()
    (tmp_path / "names.csv").write_text("native,tg263\nLung L,Heart\n")
    assert site.convert("--names", str(tmp_path / "names.csv")) == 0
    assert {record.structures for record in Dataset.open(site.output).cases.values()} == {("Heart", "SpinalCord")}
    assert not set(site.ages().values()) & set(ages.values())


def test_one_refused_patient_stops_nobody_and_is_taken_out_if_it_was_there(site, capsys):
    assert site.convert() == 0
    case = site.case_of(1)
    DatasetWriter(site.output, anatomy="liver", site="north").set_splits({case: "test"})
    rtstruct = patient_folder(site.export, 1) / "RS.dcm"
    whole = rtstruct.read_bytes()
    rtstruct.unlink()
    assert site.convert() == 1
    assert "1 refused" in capsys.readouterr().out
    assert list(Dataset.open(site.output).cases) == [site.case_of(2)]
    assert not (site.output / "cases" / case).exists()
    assert site.stored()[case]["outcome"]["status"] == "refused"
    before = tree(site.output)
    assert site.convert() == 1  # refused again, without work
    assert tree(site.output) == before
    rtstruct.write_bytes(whole)
    assert site.convert() == 0
    assert Dataset.open(site.output).cases[case].split == "test"  # a test patient never comes back as a training patient


def test_a_patient_who_is_not_in_this_export_stays_with_a_note(site):
    assert site.convert() == 0
    case = site.case_of(1)
    shutil.rmtree(patient_folder(site.export, 1))
    ages = site.ages()
    assert site.convert() == 0
    assert case in Dataset.open(site.output).cases
    assert site.ages() == ages
    assert VANISHED in (site.output / "conversion_report.html").read_text()
    assert case in (site.private / "pseudonyms.csv").read_text()


def test_a_file_more_renames_labels_in_what_was_said_of_a_patient(site):
    assert site.convert() == 0
    (site.export / "A first").mkdir()
    (site.export / "A first" / "note.txt").write_text("no DICOM")
    ages, renamed = site.ages(), site.stored()
    assert site.convert() == 0
    assert site.ages() == ages  # nobody was converted again for that
    assert site.stored() != renamed
    listing = dict(line.split(",", 1) for line in (site.private / "files.csv").read_text().splitlines())
    for stored in site.stored().values():
        (line,) = [line for line in stored["outcome"]["found"] if "RTSTRUCT" in line]
        assert listing[line.split()[1].rstrip(":")].endswith("RS.dcm")


def test_a_case_whose_files_are_gone_is_converted_again(site):
    assert site.convert() == 0
    before = tree(site.output)
    (site.output / "cases" / site.case_of(1) / "structures" / "Lung_L.nii.gz").unlink()
    (site.output / "conversion" / f"{site.case_of(2)}.json").write_text("{")
    assert site.convert() == 0
    assert tree(site.output) == before


def test_a_lost_or_wrong_key_is_refused(site, tmp_path, capsys):
    assert site.convert() == 0
    before = tree(site.output)
    site.private.rename(tmp_path / "elsewhere")
    assert site.convert() == 1
    assert "would bring every patient in twice" in capsys.readouterr().err
    assert not site.private.exists()
    assert site.convert("--private", str(tmp_path / "elsewhere")) == 0
    site.private.mkdir(mode=0o700)
    shutil.copy(tmp_path / "elsewhere" / "key", site.private / "key")
    (site.private / "key").write_text("ab" * 32)
    assert site.convert() == 1
    assert "expected the key that named the cases of 'out', found another one" in capsys.readouterr().err
    assert tree(site.output) == before


@pytest.mark.parametrize(
    ("output", "private", "message"),
    [
        ("out", "out/private", "expected --private apart from --output"),
        ("out", "in/private", "expected --private apart from --input"),
        ("in/out", "private", "expected --output apart from --input"),
        ("private/out", "private", "expected --output apart from --private"),
        ("out", "out", "apart from"),
        ("link/out", "private", "expected --output apart from --input"),
        ("file", "private", "expected a folder at --output"),
        ("foreign", "private", "'foreign' is not empty and not a dataset"),
        ("south", "private", "already holds liver data of site south"),
    ],
)
def test_folders_that_must_not_be_written_are_refused_and_stay_as_they_are(site, tmp_path, capsys, output, private, message):
    (tmp_path / "link").symlink_to(site.export)
    (tmp_path / "file").write_text("")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.doc").write_text("")
    DatasetWriter(tmp_path / "south", anatomy="liver", site="south")
    before = tree(tmp_path)
    site.output = tmp_path / output
    assert site.convert("--private", str(tmp_path / private)) == 1
    assert message in capsys.readouterr().err
    assert tree(tmp_path) == before
    assert not (tmp_path / "private").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "nowhere"], "found none there"),
        (["--site", "North Hospital"], "expected a site name of 1 to 64 lower-case letters"),
        (["--names", "nowhere.csv"], "nowhere.csv"),
        (["--jobs", "0"], "expected --jobs of 1 or more"),
    ],
)
def test_a_wrong_command_line_is_one_line(site, capsys, arguments, message):
    assert site.convert(*arguments) == 1
    err = capsys.readouterr().err
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not site.output.exists()
    assert not site.private.exists()
