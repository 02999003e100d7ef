"""The benchmark of conversions measures what it says: the same files, every mask counted, an absent library told."""

import io
from pathlib import Path

import pydicom
import pytest
from rich.console import Console

from experiments.bench import convert_ours
from experiments.bench.convert import show
from experiments.bench.convert_timing import BenchPatient, measure
from experiments.bench.other_libraries import Libraries, install
from experiments.bench.stale_references import point_to_slices
from tests.small_export import UID_ROOT, SmallPatient, write_ct, write_rtstruct


def drawn() -> SmallPatient:
    patient = SmallPatient()
    patient.rois = {
        "Liver": patient.cylinder((12.3, 10.2), 6.1, 3, 6),
        "Spleen": patient.cylinder((18.3, 10.2), 4.1, 3, 6),
        "GTV": patient.cylinder((12.3, 10.2), 3.1, 4, 5),
    }
    return patient


def forget_images(dataset) -> None:
    """As in LUNG1-002: contours and series refer to images that nobody has."""
    for roi in dataset.ROIContourSequence:
        for contour in roi.ContourSequence:
            item = pydicom.Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = pydicom.uid.CTImageStorage, f"{UID_ROOT}.99.1"
            contour.ContourImageSequence = [item]


@pytest.fixture
def patient(tmp_path) -> BenchPatient:
    folder = tmp_path / "export"
    write_ct(folder / "CT", drawn())
    write_rtstruct(folder / "RS.dcm", drawn(), change=forget_images)
    return BenchPatient("small", folder, folder / "CT", folder / "RS.dcm")


def test_ours_makes_the_same_masks_with_and_without_writing_them(patient, tmp_path):
    in_memory = convert_ours.in_memory(patient.export, tmp_path / "a")
    to_files = convert_ours.to_files(patient.export, tmp_path / "b")
    assert set(in_memory["voxels"]) == {"Liver", "Spleen", "GTV"} and min(in_memory["voxels"].values()) > 5
    assert to_files["voxels"] == in_memory["voxels"]
    assert not (tmp_path / "a").exists()
    assert len(list((tmp_path / "b").rglob("*.nii.gz"))) == 4


def test_the_command_is_timed_with_every_roi(patient, tmp_path):
    told = convert_ours.command(patient.export, tmp_path / "made")
    assert told["voxels"] == convert_ours.in_memory(patient.export, tmp_path)["voxels"]
    assert told["seconds"] > 0


def test_without_the_other_libraries_ours_is_measured_and_the_reason_told(patient):
    printed = io.StringIO()
    show(Console(file=printed, width=200), 1, [patient], Libraries(None, "not installed: no network"), ours=["in memory"])
    rows = [line for line in printed.getvalue().splitlines() if line.startswith("│")]
    assert len(rows) == 4 and "3 of 3" in rows[0] and all("no network" in row for row in rows[1:])


def test_a_library_that_cannot_be_installed_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    (tmp_path / "wanted.txt").write_text("no-such-library-as-this==1.0\n")
    found = install(tmp_path / "environment", tmp_path / "wanted.txt")
    assert found.python is None and "no-such-library-as-this" in found.fault and "\n" not in found.fault


def test_an_environment_is_made_once_and_again_for_other_requirements(tmp_path):
    folder, wanted = tmp_path / "environment", tmp_path / "wanted.txt"
    wanted.write_text("# nothing\n")
    assert install(folder, wanted).python.is_file()
    (folder / "kept").touch()
    assert install(folder, wanted).python and (folder / "kept").is_file()
    wanted.write_text("# nothing else\n")
    assert install(folder, wanted).python and not (folder / "kept").exists()


def test_repaired_references_name_the_slice_that_each_contour_lies_on(patient, tmp_path):
    repaired = pydicom.dcmread(point_to_slices(patient.structures, patient.ct, tmp_path / "repaired.dcm"))
    z_mm = {image.SOPInstanceUID: image.ImagePositionPatient[2] for image in map(pydicom.dcmread, patient.ct.iterdir())}
    contours = [contour for roi in repaired.ROIContourSequence for contour in roi.ContourSequence]
    assert len(contours) == 10
    assert all(z_mm[contour.ContourImageSequence[0].ReferencedSOPInstanceUID] == contour.ContourData[2] for contour in contours)
    before = pydicom.dcmread(patient.structures)
    assert [contour.ContourData for contour in contours] == [
        contour.ContourData for roi in before.ROIContourSequence for contour in roi.ContourSequence
    ]


def test_without_the_real_files_it_says_so():
    printed = io.StringIO()
    show(Console(file=printed, width=200), 1, [BenchPatient("absent", Path("/nowhere"), Path("/nowhere"), Path("/nowhere"))])
    assert "nothing measured, the files of absent" in printed.getvalue()


@pytest.mark.slow
def test_every_library_converts_the_same_patient(patient):
    libraries = install()
    if not libraries.python:
        pytest.skip(libraries.fault)
    found = measure(patient, libraries, 1)
    assert [way for way, conversion in found.items() if conversion.fault] == []
    # What pixel centres inside a contour are, both count; rounding vertices to pixels, as rt-utils does, adds a rim.
    assert sorted(found["dcmrtstruct2nii"].voxels.values()) == sorted(found["in memory"].voxels.values())
    assert sum(found["rt-utils"].voxels.values()) == 0 < sum(found["rt-utils, references repaired"].voxels.values())
    assert found["dcmrtstruct2nii"].written[0] == found["to files"].written[0] - 1 == 4  # ours: dataset.json too
