"""The table of the study's patients against the benchmark's files and its stated rules."""

import csv

import pytest
import SimpleITK as sitk

from data_prep.case_table import read_case_table
from data_prep.openkbp.study import STUDY_TABLE, find_patients, read_digests, read_labels, voxel_digest
from src.errors import DatasetError

COUNTS = {"site_a": 26, "site_b": 44, "site_c": 19, "site_d": 35, "site_e": 31, "site_f": 47}  # the benchmark's README.md


@pytest.fixture(scope="module")
def rows():
    return read_case_table(STUDY_TABLE, None)


@pytest.fixture
def benchmark(openkbp):
    with (openkbp / "cases.csv").open() as file:
        return {row["case"]: row for row in csv.DictReader(file)}


def site_by_rule(spacing_x_mm: float, spacing_z_mm: float, contoured: tuple[str, ...]) -> str:
    """The site by in-plane spacing, slice thickness and contouring habit, as the benchmark's README.md groups them."""
    if spacing_x_mm == 3.906:
        if spacing_z_mm != 2.5:
            return "site_c"
        return "site_a" if {"Esophagus", "Larynx"} & set(contoured) else "site_b"
    if 4.67 < spacing_x_mm < 4.71 and spacing_z_mm == 3:
        return "site_d"
    return "site_e" if spacing_x_mm <= 3.95 else "site_f"


def digest_of(openkbp, case: str) -> str:
    ct, labels = (sitk.ReadImage(str(openkbp / kind / f"{case}.nii.gz")) for kind in ("ct", "label"))
    return voxel_digest(sitk.GetArrayViewFromImage(ct), sitk.GetArrayViewFromImage(labels))


def test_every_case_stands_for_the_public_patient_of_its_number(rows):
    assert {row.case for row in rows} == {f"openkbp_{int(row.source.removeprefix('pt_')):03d}" for row in rows}
    assert {site: sum(row.site == site for row in rows) for site in COUNTS} == COUNTS
    assert len(rows) == 202
    assert set(read_digests(STUDY_TABLE)) == {row.case for row in rows}
    assert {name for row in rows for name in row.contoured} == set(read_labels())


def test_sites_splits_and_contoured_structures_are_the_benchmarks(rows, benchmark):
    for row in rows:
        expected = benchmark[row.case]
        assert (row.site, row.split, " ".join(row.contoured)) == (expected["site"], expected["split"], expected["contoured"])
    assert len(benchmark) == len(rows)


def test_sites_follow_from_spacing_and_contouring(rows, benchmark):
    for row in rows:
        spacing = benchmark[row.case]
        assert site_by_rule(float(spacing["spacing_x_mm"]), float(spacing["spacing_z_mm"]), row.contoured) == row.site, row.case


def test_digests_are_those_of_the_benchmarks_voxels(rows, openkbp):
    digests = read_digests(STUDY_TABLE)
    for row in rows[::25]:
        assert digest_of(openkbp, row.case) == digests[row.case], row.case


@pytest.mark.slow
def test_every_digest_is_that_of_the_benchmarks_voxels(rows, openkbp):
    digests = read_digests(STUDY_TABLE)
    assert [row.case for row in rows if digest_of(openkbp, row.case) != digests[row.case]] == []


def test_patients_are_found_in_whatever_group_they_lie(tmp_path, rows):
    few = [rows[0], rows[-1]]
    (tmp_path / "train-pats" / few[0].source).mkdir(parents=True)
    with pytest.raises(DatasetError, match=f"1 of 2 missing or there twice \\({few[1].source}\\)"):
        find_patients(tmp_path, few)
    (tmp_path / "validation-pats" / few[1].source).mkdir(parents=True)
    assert find_patients(tmp_path, few)[few[1].case] == tmp_path / "validation-pats" / few[1].source
    (tmp_path / "test-pats" / few[1].source).mkdir(parents=True)
    with pytest.raises(DatasetError, match="there twice"):
        find_patients(tmp_path, few)
    with pytest.raises(DatasetError, match="expected a folder at --input"):
        find_patients(tmp_path / "none", few)
