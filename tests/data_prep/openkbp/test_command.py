"""The command: made-up patients, real ones in the public form, and the public repository itself where it is at hand."""

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from data_prep.__main__ import main
from data_prep.openkbp.study import STUDY_TABLE, read_labels, voxel_digest
from src.data.dataset import Dataset
from tests.data_prep.conftest import ROOT, contents
from tests.data_prep.openkbp.public_files import small_patient, write_patient

CLONE_VARIABLE = "OPENKBP_PROVIDED_DATA"
# One of each site, small, with what is special: site_d's has one structure, site_f's has an overlap of brainstem and cord.
REAL_CASES = ("openkbp_036", "openkbp_154", "openkbp_203", "openkbp_143", "openkbp_170", "openkbp_089")
MADE_UP_NAMES = {"Brainstem": "Brainstem", "SpinalCord": "SpinalCord", "Parotid_R": "RightParotid", "Parotid_L": "LeftParotid"}


class Clone:
    """``provided-data`` with two made-up patients, a table of them, and the command that converts them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "provided-data"
        self.output = folder / "out"
        self.table = folder / "cases.csv"
        write_patient(self.root / "train-pats" / "pt_1", *small_patient(1))
        write_patient(self.root / "validation-pats" / "pt_201", *small_patient(2), spacing_mm=(4.64, 4.64, 3.0))
        self.write_table("case,source,site,split", "openkbp_001,pt_1,site_b,train", "openkbp_201,pt_201,site_f,test")

    def write_table(self, *lines: str) -> None:
        self.table.write_text("\n".join(lines) + "\n")

    def command(self, table: Path | None = None) -> list[str]:
        table = table or self.table
        return ["openkbp", "--input", str(self.root), "--output", str(self.output), "--table", str(table)]


@pytest.fixture
def clone(tmp_path) -> Clone:
    return Clone(tmp_path)


def test_each_site_is_a_dataset(clone, capsys):
    assert main(clone.command()) == 0
    assert "2 cases made, 0 of them compared" in capsys.readouterr().out
    dataset = Dataset.open(clone.output / "site_f")
    assert dataset.cases["openkbp_201"].split == "test"
    assert dataset.cases["openkbp_201"].spacing_mm == (4.64, 4.64, 3.0)
    assert dataset.cases["openkbp_201"].structures == ("Brainstem", "Parotid_L", "Parotid_R", "SpinalCord")
    left, right = (sitk.GetArrayFromImage(dataset.read_mask("openkbp_201", f"Parotid_{side}")) for side in "LR")
    assert np.nonzero(left)[2].min() > np.nonzero(right)[2].max()


def test_a_second_run_reads_nothing_that_is_there(clone, capsys):
    clone.write_table("case,source,site,split", "openkbp_001,pt_1,site_b,train")
    assert main(clone.command()) == 0
    before = contents(clone.output)
    (clone.root / "train-pats" / "pt_1" / "ct.csv").write_text("not read again")
    clone.write_table("case,source,site,split", "openkbp_001,pt_1,site_b,train", "openkbp_201,pt_201,site_f,test")
    capsys.readouterr()
    assert main(clone.command()) == 0
    assert "1 cases made, 0 of them compared with the study's digests: equal; 1 were there before" in capsys.readouterr().out
    after = contents(clone.output)
    assert {name: after[name] for name in before} == before
    assert "site_f/dataset.json" in after


def test_other_voxels_than_the_studys_are_refused_before_anything_is_written(clone, capsys):
    assert main(clone.command()) == 0
    dataset = Dataset.open(clone.output / "site_b")
    ct_ZYX = sitk.GetArrayFromImage(dataset.read_ct("openkbp_001"))
    labels_ZYX = np.zeros(ct_ZYX.shape, np.uint8)
    for name, native in MADE_UP_NAMES.items():  # in the order of their numbers
        labels_ZYX[sitk.GetArrayFromImage(dataset.read_mask("openkbp_001", name)) > 0] = read_labels()[native]
    right = voxel_digest(ct_ZYX, labels_ZYX)
    clone.output = clone.output.with_name("again")
    for digest, code in (("0" * 64, 1), (right, 0)):
        clone.write_table("case,source,site,split,voxels_sha256", f"openkbp_001,pt_1,site_b,train,{digest}")
        assert not clone.output.exists()
        assert main(clone.command()) == code
    printed = capsys.readouterr()
    assert "case openkbp_001: expected the voxels of the study in pt_1, found others" in printed.err
    assert "1 cases made, 1 of them compared with the study's digests: equal" in printed.out


def test_other_contours_than_the_tables_are_refused(clone, capsys):
    clone.write_table("case,source,site,contoured", "openkbp_001,pt_1,site_b,Brainstem Larynx")
    assert main(clone.command()) == 1
    error = capsys.readouterr().err
    assert "expected Brainstem Larynx contoured in pt_1, found Brainstem LeftParotid RightParotid SpinalCord" in error
    assert not clone.output.exists()


def test_a_clone_without_the_studys_patients_is_refused_in_one_line(clone, capsys):
    assert main(clone.command(STUDY_TABLE)) == 1
    error = capsys.readouterr().err
    assert "200 of 202 missing" in error
    assert error.count("\n") == 1


def test_a_damaged_file_is_named_and_nothing_is_written(clone, capsys):
    (clone.root / "train-pats" / "pt_1" / "SpinalCord.csv").write_bytes(b"\x00\xff")
    assert main(clone.command()) == 1
    assert "case openkbp_001: SpinalCord.csv is not one of the challenge's" in capsys.readouterr().err
    assert not clone.output.exists()


def test_a_folder_that_holds_another_dataset_is_left_alone(clone, hospital, capsys):
    assert main(hospital.command()) == 0
    clone.write_table("case,source,site", "openkbp_001,pt_1,north")
    clone.output = hospital.output
    before = contents(hospital.output)
    assert main(clone.command()) == 1
    assert "that 'openkbp' did not make" in capsys.readouterr().err
    assert contents(hospital.output) == before


def import_benchmark(openkbp: Path, cases: tuple[str, ...], folder: Path) -> Path:
    """The benchmark's own files through ``import-nifti``: what the command is compared with."""
    header, *lines = (openkbp / "cases.csv").read_text().splitlines()
    (folder / "benchmark.csv").write_text("\n".join([header, *(line for line in lines if line.split(",")[0] in cases)]) + "\n")
    files = ["--table", str(folder / "benchmark.csv"), "--images", str(openkbp / "ct"), "--labels", str(openkbp / "label")]
    names = ["--label-map", str(ROOT / "data_prep" / "maps" / "openkbp.csv"), "--anatomy", "head_neck"]
    assert main(["import-nifti", *files, *names, "--output", str(folder / "expected")]) == 0
    return folder / "expected"


def without_index(folder: Path) -> dict[str, str]:
    return {name: digest for name, digest in contents(folder).items() if not name.endswith("dataset.json")}


def check_same_datasets(found: Path, expected: Path) -> None:
    """Every CT and mask byte for byte; of the indices everything but which command wrote them."""
    assert without_index(found) == without_index(expected)
    for path in sorted(expected.iterdir()):
        assert Dataset.open(found / path.name).cases == Dataset.open(path).cases


def write_study_table(path: Path, cases: tuple[str, ...]) -> None:
    header, *lines = [line for line in STUDY_TABLE.read_text().splitlines() if not line.startswith("#")]
    path.write_text("\n".join([header, *(line for line in lines if line.split(",")[0] in cases)]) + "\n")


def test_real_patients_come_out_as_the_benchmark_has_them(openkbp, tmp_path, capsys):
    natives = {label: name for name, label in read_labels().items()}
    for case in REAL_CASES:  # back into the public form: what the cut removed is not known, so nothing surrounds it here
        ct, labels = (sitk.ReadImage(str(openkbp / kind / f"{case}.nii.gz")) for kind in ("ct", "label"))
        stored_ZYX, labels_ZYX = sitk.GetArrayFromImage(ct).astype(int) + 1000, sitk.GetArrayFromImage(labels)
        structures = {natives[label]: labels_ZYX == label for label in np.unique(labels_ZYX) if label}
        spacing_mm = tuple(round(size, 3) for size in ct.GetSpacing())
        folder = tmp_path / "provided-data" / "train-pats" / f"pt_{int(case[-3:])}"
        region_ZYX = (stored_ZYX > 0) | (labels_ZYX > 0)
        write_patient(folder, stored_ZYX, region_ZYX, structures, spacing_mm=spacing_mm, head_slice=0)
    write_study_table(tmp_path / "cases.csv", REAL_CASES)
    paths = ["--input", tmp_path / "provided-data", "--output", tmp_path / "found", "--table", tmp_path / "cases.csv"]
    assert main(["openkbp", *map(str, paths)]) == 0
    assert "6 cases made, 6 of them compared with the study's digests: equal" in capsys.readouterr().out
    check_same_datasets(tmp_path / "found", import_benchmark(openkbp, REAL_CASES, tmp_path))


@pytest.mark.slow
def test_the_public_repository_gives_the_benchmark(openkbp, tmp_path):
    root = os.environ.get(CLONE_VARIABLE)
    if not root:
        pytest.skip(f"no clone of github.com/ababier/open-kbp at hand: {CLONE_VARIABLE} names its folder 'provided-data'")
    patients = {f"openkbp_{int(path.name[3:]):03d}" for path in Path(root).glob("*/pt_*") if (path / "ct.csv").is_file()}
    cases = tuple(line.split(",")[0] for line in STUDY_TABLE.read_text().splitlines() if line.split(",")[0] in patients)
    assert cases, f"{CLONE_VARIABLE} holds none of the study's patients"
    write_study_table(tmp_path / "cases.csv", cases)
    paths = ["--input", root, "--output", tmp_path / "found", "--table", tmp_path / "cases.csv"]
    assert main(["openkbp", *map(str, paths)]) == 0
    check_same_datasets(tmp_path / "found", import_benchmark(openkbp, cases, tmp_path))
