"""Every kind of mistake that ``check`` knows is made once, and found; a sound dataset passes; nothing is changed."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from data_prep.__main__ import main
from data_prep.check import check_dataset
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from tests.data_prep.conftest import contents, ct_ZYX, labels_ZYX
from tests.data_prep.conftest import image_of as image_with_spacing

NATIVE = {"Brainstem": "Brain stem", "Parotid_L": "LeftParotid", "Parotid_R": "Parotid-Rt"}


def image_of(array_ZYX: np.ndarray, *, spacing=(8.0, 8.0, 8.0)) -> sitk.Image:
    """Voxels so large that the few of a box make an organ of normal volume."""
    return image_with_spacing(array_ZYX, spacing=spacing)


def mask(native: str) -> sitk.Image:
    return image_of((labels_ZYX(native) > 0).astype(np.uint8))


def add(writer: DatasetWriter, case: str, seed: int, *, split="train", hu=None, **masks) -> None:
    every = {name: mask(native) for name, native in NATIVE.items()} | masks
    ct = image_of(ct_ZYX(seed) if hu is None else hu)
    writer.add_case(case, ct, {name: image for name, image in every.items() if image}, split=split)


@pytest.fixture
def writer(tmp_path: Path) -> DatasetWriter:
    made = DatasetWriter(tmp_path / "north", anatomy="head_neck", site="north")
    for seed, split in enumerate(("train", "train", "valid", "test")):
        add(made, f"case_{seed}", seed, split=split)
    return made


def found(writer: DatasetWriter, severity: str) -> list[tuple[str | None, str]]:
    return [(finding.case, finding.what) for finding in check_dataset(writer.dataset) if finding.severity == severity]


def test_a_sound_dataset_passes_and_is_not_touched(writer, capsys):
    before = contents(writer.dataset.path)
    assert check_dataset(writer.dataset) == []
    assert main(["check", str(writer.dataset.path)]) == 0
    printed = capsys.readouterr().out
    assert "nothing to report" in printed
    row = next(line for line in printed.splitlines() if "Parotid_L" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["Parotid_L", "2", "1", "1", "4"]
    assert contents(writer.dataset.path) == before


def swapped(w):
    add(w, "case_9", 9, Parotid_L=mask("Parotid-Rt"), Parotid_R=mask("LeftParotid"))


def mirrored(w):
    """The masks are right on their grid, but the header says x grows to the other side."""
    images = {name: mask(native) for name, native in NATIVE.items()}
    ct = image_of(ct_ZYX(9))
    for image in (ct, *images.values()):
        image.SetDirection((-1, 0, 0, 0, 1, 0, 0, 0, 1))
    w.add_case("case_9", ct, images, split="train")


def twice_the_same_mask(w):
    add(w, "case_9", 9, Larynx=mask("Brain stem"))


def inverted(w):
    add(w, "case_9", 9, Larynx=image_of(1 - (labels_ZYX("Brain stem") > 0).astype(np.uint8)))


def intercept_lost(w):
    add(w, "case_9", 9, hu=ct_ZYX(9) + np.int16(1024))


def all_zero(w):
    add(w, "case_9", 9, hu=np.zeros_like(ct_ZYX()))


def rescaled(w):
    add(w, "case_9", 9, hu=(ct_ZYX(9) > 0).astype(np.int16))


def no_tissue(w):
    add(w, "case_9", 9, hu=np.where(ct_ZYX(9) > 0, 2000, -1000).astype(np.int16))


def one_patient_twice(w):
    add(w, "case_9", 3, split="train")  # case_3 is a test patient


def ct_cut_off(w):
    add(w, "case_9", 9)
    path = w.dataset.ct_path("case_9")
    path.write_bytes(path.read_bytes()[:-30])


def ct_gone(w):
    add(w, "case_9", 9)
    w.dataset.ct_path("case_9").unlink()


def mask_gone(w):
    add(w, "case_9", 9)
    w.dataset.mask_path("case_9", "Brainstem").unlink()


def mask_not_recorded(w):
    add(w, "case_9", 9)
    sitk.WriteImage(mask("Brain stem"), str(w.dataset.mask_path("case_9", "Larynx")))


def mask_on_another_grid(w):
    add(w, "case_9", 9)
    sitk.WriteImage(image_of(labels_ZYX("Brain stem"), spacing=(1, 1, 1)), str(w.dataset.mask_path("case_9", "Brainstem")))


def mask_of_labels(w):
    add(w, "case_9", 9)
    sitk.WriteImage(image_of(labels_ZYX("LeftParotid")), str(w.dataset.mask_path("case_9", "Parotid_L")))


def ct_replaced(w):
    add(w, "case_9", 9, Brainstem=None, Parotid_L=None, Parotid_R=None)
    sitk.WriteImage(image_of(ct_ZYX(10), spacing=(2, 2, 5)), str(w.dataset.ct_path("case_9")))


def case_gone(w):
    add(w, "case_9", 9)
    (w.dataset.path / "cases" / "case_9").rename(w.dataset.path / "elsewhere")


def ct_as_floats_with_nan(w):
    add(w, "case_9", 9)
    hu = ct_ZYX(9).astype(np.float32)
    hu[0, 0, 0] = np.nan
    sitk.WriteImage(image_of(hu), str(w.dataset.ct_path("case_9")))


REFUSED = {
    swapped: "Parotid_L lies to the right of Parotid_R",
    mirrored: "Parotid_L lies to the right of Parotid_R",
    twice_the_same_mask: "are the same voxels",
    inverted: "more than half of the volume",
    intercept_lost: "1024 too high",
    all_zero: "every voxel of the CT is 0",
    rescaled: "spans less than",
    no_tissue: "next to no soft tissue",
    one_patient_twice: "its CT is that of case_3",
    ct_cut_off: "cut off",
    ct_gone: "expected the file ct.nii.gz",
    mask_gone: "the mask of Brainstem is recorded and not there",
    mask_not_recorded: "structures/Larynx is there and not recorded",
    mask_on_another_grid: "another grid",
    mask_of_labels: "0 and 1 only",
    ct_replaced: "spacing is not the one in dataset.json",
    case_gone: "its folder is gone",
    ct_as_floats_with_nan: "NaN",
}


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_what_would_spoil_a_training_is_refused(spoil, writer, capsys):
    spoil(writer)
    refusals = found(writer, "refused")
    assert any(case == "case_9" and REFUSED[spoil] in what for case, what in refusals), refusals
    assert {case for case, _ in refusals} == {"case_9"}  # and nobody else is blamed
    before = contents(writer.dataset.path)
    assert main(["check", str(writer.dataset.path)]) == 1
    printed = capsys.readouterr().out
    assert "refused" in printed
    assert "case_9" in printed
    assert contents(writer.dataset.path) == before


def empty_mask(w):
    add(w, "case_9", 9, Larynx=image_of(np.zeros_like(labels_ZYX())))


def tiny_mask(w):
    voxels = np.zeros_like(labels_ZYX())
    voxels[5, 5, 5:8] = 1
    add(w, "case_9", 9, Larynx=image_of(voxels))


def overlapping(w):
    voxels = labels_ZYX("Brain stem") > 0
    voxels[6] = voxels[5]
    add(w, "case_9", 9, Larynx=image_of(voxels.astype(np.uint8)))


def no_air(w):
    add(w, "case_9", 9, hu=np.where(ct_ZYX(9) < 0, -100, ct_ZYX(9) * 4).astype(np.int16))


def padding(w):
    hu = ct_ZYX(9)
    hu[:, 0] = -3024
    add(w, "case_9", 9, hu=hu)


def in_centimetres(w):
    images = {name: mask(native) for name, native in NATIVE.items()}
    ct = image_of(ct_ZYX(9))
    for image in (ct, *images.values()):
        image.SetSpacing((0.1, 0.1, 0.3))
    w.add_case("case_9", ct, images, split="train")


def nothing_contoured(w):
    add(w, "case_9", 9, Brainstem=None, Parotid_L=None, Parotid_R=None)


WARNED = {
    empty_mask: "Larynx is empty",
    tiny_mask: "fewer than 5 voxels",
    overlapping: "Brainstem and Larynx share more than 10%",
    no_air: "no air",
    padding: "padding",
    in_centimetres: "is its unit the millimetre",
    nothing_contoured: "nothing is contoured",
}


@pytest.mark.parametrize("make_odd", WARNED, ids=lambda make_odd: make_odd.__name__)
def test_what_is_odd_is_a_warning_and_passes(make_odd, writer):
    make_odd(writer)
    assert found(writer, "refused") == []
    assert [case for case, what in found(writer, "warning") if WARNED[make_odd] in what] == ["case_9"]
    assert main(["check", str(writer.dataset.path)]) == 0


def test_an_oblique_grid_is_a_warning(writer):
    images = {name: mask(native) for name, native in NATIVE.items()}
    ct = image_of(ct_ZYX(9))
    c, s = np.cos(0.3), np.sin(0.3)
    for image in (ct, *images.values()):
        image.SetDirection((1, 0, 0, 0, c, -s, 0, s, c))
    writer.add_case("case_9", ct, images, split="train")
    assert [case for case, what in found(writer, "warning") if "oblique" in what] == ["case_9"]


def test_a_structure_that_no_training_case_has_is_a_warning(writer):
    add(writer, "case_9", 9, split="test", Larynx=image_of((ct_ZYX() > 60).astype(np.uint8)))
    assert (None, "Larynx is contoured in no training case of this site") in found(writer, "warning")


def test_an_empty_training_split_is_refused_and_a_missing_one_is_a_warning(writer):
    everything = dict.fromkeys(writer.dataset.cases, "test")
    writer.set_splits(everything)
    assert [what for _, what in found(writer, "refused") if "training split is empty" in what]
    index = json.loads((writer.dataset.path / "dataset.json").read_text())
    for row in index["cases"].values():
        row["split"] = None
    (writer.dataset.path / "dataset.json").write_text(json.dumps(index))
    reopened = check_dataset(Dataset.open(writer.dataset.path))
    assert [finding.severity for finding in reopened if "no case has a split" in finding.what] == ["warning"]


def test_what_a_stopped_run_left_is_a_warning(writer):
    (writer.dataset.path / "cases" / ".case_9.partial").mkdir()
    (writer.dataset.path / "cases" / "case_8").mkdir()
    assert len(found(writer, "warning")) == 2
    assert found(writer, "refused") == []


def test_one_refused_dataset_among_several_decides_the_exit_code(writer, tmp_path, capsys):
    DatasetWriter(tmp_path / "empty", anatomy="head_neck", site="empty")
    assert main(["check", str(writer.dataset.path), str(tmp_path / "empty")]) == 1
    assert "the dataset holds no case" in capsys.readouterr().out
    assert main(["check", str(tmp_path)]) == 1
    assert "found no dataset.json" in capsys.readouterr().err


def test_real_patients_pass(openkbp, tmp_path):
    rows = (openkbp / "cases.csv").read_text().splitlines()
    chosen = [rows[0], *[row for row in rows if ",site_c," in row]]
    (tmp_path / "cases.csv").write_text("\n".join(chosen) + "\n")
    argv = ["--table", str(tmp_path / "cases.csv"), "--images", str(openkbp / "ct"), "--labels", str(openkbp / "label")]
    options = ["--label-map", "data_prep/maps/openkbp.csv", "--anatomy", "head_neck", "--output", str(tmp_path / "out")]
    assert main(["import-nifti", *argv, *options]) == 0
    assert main(["check", str(tmp_path / "out" / "site_c")]) == 0
