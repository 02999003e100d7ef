"""Whatever the files hold and whatever goes wrong, no byte that comes out identifies a patient; the private folder does."""

import base64
import gzip
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataelem import DataElement

from data_prep.__main__ import main
from tests.small_export import UID_ROOT, SmallPatient, add_roi, write_ct, write_export, write_rtstruct

# What is planted beside the identifiers of small_export, and in which words a reader would know somebody.
WORDS = ("zwiebelfisch", "hannelore", "quacksalber", "ottokar", "dunkelwald", "geheimnis", "pid77", "acc5150", UID_ROOT)
DATES = [
    form
    for year, month, day in (("1951", "02", "17"), ("1952", "02", "17"), ("2019", "05", "23"), ("2019", "05", "24"))
    for form in (f"{year}{month}{day}", f"{year}-{month}-{day}", f"{day}.{month}.{year}", f"{month}/{day}/{year}")
]
NUMBERS = ("7714242", "7724242", "51501", UID_ROOT.replace(".", ""))


def planted(number: int) -> SmallPatient:
    """A patient whose ROIs are called after everything that a header holds."""
    patient = SmallPatient(number=number)
    circles = patient.cylinder((17, 10), 6, 2, 7)
    name, other = f"Zwiebelfisch{number}", f"Zwiebelfisch{3 - number}"
    called = [
        f"Heart {name}",
        f"{name.upper()}_HANNELORE",
        f"hannelore{name}",
        f"PTV 17.02.195{number}",
        f"CTV 195{number}-02-17",
        f"GTV 02/17/195{number}",
        f"PID77{number}4242",
        f"boost pid-77-{number}4242",
        f"x77{number}4242",
        f"ACC5150{number}",
        "Dr. Quacksalber",
        "Klinikum Dunkelwald",
        f"{UID_ROOT}.{number}.2",
        f"plan 2019052{3 + number % 2}",
        f"copied from {other}",
        f"Liver 17 Feb 195{number} {'x' * 40}",
    ]
    rois = {"Spinal cord": patient.cylinder((12, 10), 8, 2, 7)} | dict.fromkeys(called, circles)
    return replace(patient, rois=rois)


def plant(dataset) -> None:
    """Private tags and free texts, as vendors fill them."""
    block = dataset.private_block(0x3001, "Geheimnis", create=True)
    block.add_new(1, "LO", f"Geheimnis {dataset.PatientName}")
    dataset.StudyDescription = f"Geheimnis {dataset.PatientName} {dataset.PatientID}"
    dataset.PatientComments = "Geheimnis"
    if dataset.Modality == "RTSTRUCT":
        dataset.StructureSetLabel = f"{dataset.PatientName}"[:16]
        dataset.StructureSetName = f"Geheimnis {dataset.PatientID}"
        dataset.OperatorsName = "Geheimnis^Otto"
        dataset.ROIContourSequence[3].ContourSequence[0].add(DataElement(0x30060050, "LT", "Zwiebelfisch"))


@pytest.fixture(scope="module")
def export(tmp_path_factory) -> Path:
    """Two patients who can be converted, others who cannot, and broken files; names in folders and files."""
    folder = tmp_path_factory.mktemp("privacy") / "Zwiebelfisch Export 1951-02-17"
    write_export(folder, planted(1), planted(2), change_ct=plant, change_rtstruct=plant)
    write_ct(folder / "Zwiebelfisch3^Hannelore", SmallPatient(number=3), change=plant)  # no RTSTRUCT
    write_rtstruct(folder / "Zwiebelfisch4.dcm", planted(4), change=plant)  # no CT
    write_ct(folder / "Zwiebelfisch5", SmallPatient(number=5), slices=[0, 1, 3, 4, 6], change=plant)
    write_rtstruct(folder / "Zwiebelfisch5" / "Hannelore.dcm", planted(5), change=plant)
    broken = folder / "Zwiebelfisch6"
    first, second, *_ = write_ct(broken, SmallPatient(number=6), change=plant)
    first.write_bytes(first.read_bytes()[:-100])
    second.write_bytes(second.read_bytes()[:300])
    rtstruct = write_rtstruct(broken / "RS Hannelore.dcm", planted(6), change=plant)
    rtstruct.write_bytes(rtstruct.read_bytes()[:-500])
    strange = write_rtstruct(folder / "Zwiebelfisch7" / "RS", planted(7))
    damaged = dcmread(strange)
    damaged.ROIContourSequence[0].ReferencedROINumber = 4242
    add_roi(damaged, planted(7), "Zwiebelfisch7", [], kind="POINT")
    damaged.save_as(strange)
    write_ct(folder / "Zwiebelfisch7", SmallPatient(number=7), change=lambda slice_: setattr(slice_, "RescaleSlope", 77))
    (folder / "Hannelore Zwiebelfisch.txt").write_text("Geheimnis")
    (folder / "empty Hannelore").touch()
    return folder


def leaks(content: bytes) -> list[str]:
    """What of the planted identifiers stands in some bytes: as it is, in other capitals, without separators, in base64."""
    text = content.decode("latin-1").lower()
    found = [word for word in (*WORDS, *DATES, *NUMBERS) if word in text]
    if b"\0" not in content:  # in voxels and pictures, bytes that are no text would make words by chance
        bare = re.sub(r"[^a-z0-9]", "", re.sub(r"[a-za-z0-9+/=]{200,}", "", text))
        found += [word for word in (*WORDS, *NUMBERS) if re.sub(r"[^a-z0-9]", "", word) in bare]
        for part in re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", content):
            found += leaks(base64.b64decode(part + b"=" * (-len(part) % 4)))
    return found


def assert_clean(folder: Path, captured) -> None:
    for path in folder.rglob("*"):
        assert leaks(str(path.relative_to(folder)).encode()) == []
        if path.is_file():
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            assert leaks(content) == [], path.name
    assert leaks(captured.out.encode()) == leaks(captured.err.encode()) == []


def test_the_scan_finds_what_is_there():
    """The test below would be worth nothing if this one failed."""
    for text in ("x Zwiebelfisch1", "ZWIEBEL_FISCH", "born 1951-02-17", "1.2.826.0.1.3680043.10.1234", "pid-77-14242"):
        assert leaks(text.encode())
    assert leaks(b'"' + base64.b64encode(b"a picture of Hannelore, in base64") + b'"')
    assert not leaks(b"Lung_L 512 x 512")


@pytest.fixture(scope="module")
def converted(export, tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("converted")


def test_no_output_identifies_anybody(export, converted, capfd):
    folders = ["--input", str(export), "--output", str(converted / "out"), "--private", str(converted / "secret")]
    convert = ["convert", *folders, "--site", "north", "--anatomy", "liver", "--jobs", "2"]
    assert main(convert) == 1
    captured = capfd.readouterr()
    assert "2 of 7 patients converted" in captured.out
    assert_clean(converted / "out", captured)
    for argv in (
        convert,  # once more: nothing to do
        [*convert, "--allow-frame-mismatch"],
        ["check", str(converted / "out")],
        ["split", str(converted / "out")],
        ["names", "--input", str(export), "--anatomy", "liver", "--output", str(converted / "out" / "names.csv")],
    ):
        assert main(argv) in (0, 1)
        assert_clean(converted / "out", capfd.readouterr())
    dicom = b"".join(path.read_bytes() for path in (converted / "out").rglob("*.json"))
    assert b"[patient]" in dicom


def test_only_the_private_folder_says_who_is_who_and_nobody_else_may_read_it(export, converted):
    """Runs after the one above, in the same folder."""
    private = converted / "secret"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()}
    assert files == dict.fromkeys(("key", "lock", "pseudonyms.csv", "files.csv"), 0o600)
    who = (private / "pseudonyms.csv").read_text()
    for number in (1, 2, 3, 4, 5, 6, 7):
        assert f"PID77{number}4242" in who
        assert f"Zwiebelfisch{number}^Hannelore" in who
        assert f"{UID_ROOT}.{number}.1" in who
    assert "Hannelore Zwiebelfisch.txt" in (private / "files.csv").read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"--site": "Zwiebelfisch Klinik"},
        {"--output": "{export}/out"},
        {"--private": "{export}/Zwiebelfisch1^Hannelore"},
        {"--input": "{export}/nobody Zwiebelfisch"},
        {"--input": "{export}/Hannelore Zwiebelfisch.txt"},
        {"--names": "{export}/nobody.csv"},
    ],
)
def test_a_run_that_fails_names_nobody(export, tmp_path, capfd, change):
    values = {"--input": str(export), "--output": str(tmp_path / "out"), "--site": "north", "--anatomy": "liver"}
    values |= {option: value.format(export=export) for option, value in change.items()}
    assert main(["convert", *(word for pair in values.items() for word in pair)]) == 1
    captured = capfd.readouterr()
    typed = change.get("--site", "").lower()  # what the user typed may be told to the user
    assert [word for word in leaks(captured.err.encode()) if word not in typed] == []
    assert captured.err.startswith("error: ")
    assert "Traceback" not in captured.err


def test_a_file_that_nobody_may_read_is_told_without_its_name(export, tmp_path, capfd, monkeypatch):
    """An error of the file system in the command's own process, not in a patient's."""

    def fail(_folder):
        raise PermissionError(13, "Permission denied", str(export / "Zwiebelfisch1^Hannelore"))

    monkeypatch.setattr("data_prep.convert.scan_export", fail)
    argv = ["convert", "--input", str(export), "--output", str(tmp_path / "out"), "--site", "north", "--anatomy", "liver"]
    assert main(argv) == 1
    assert capfd.readouterr().err == "error: Permission denied (in the folder at --input)\n"

    def crash(_folder):
        raise KeyError("Zwiebelfisch1^Hannelore")

    monkeypatch.setattr("data_prep.convert.scan_export", crash)
    assert main(argv) == 1
    assert capfd.readouterr().err.startswith("error: an error of the converter itself: KeyError at ")
