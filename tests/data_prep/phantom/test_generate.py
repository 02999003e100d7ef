"""A federation of phantoms on disk: the same bytes twice, splits, sites that differ, and arguments that are refused."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from data_prep.phantom import generate
from data_prep.phantom.generate import make_federation, split_of_cases
from src.data.dataset import SPLITS, Dataset
from src.errors import DatasetError

CASES = (4, 3, 3)


@pytest.fixture(scope="module")
def federation(tmp_path_factory) -> list[Dataset]:
    return make_federation(tmp_path_factory.mktemp("phantoms") / "root", anatomy="liver", cases_per_site=CASES, seed=5)


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()
    }


def centroid_mm(mask: sitk.Image) -> np.ndarray:
    voxels_ZYX = np.argwhere(sitk.GetArrayFromImage(mask))
    return np.array([mask.TransformIndexToPhysicalPoint([int(index) for index in voxel[::-1]]) for voxel in voxels_ZYX]).mean(0)


def test_same_arguments_give_the_same_bytes(tmp_path, federation, monkeypatch):
    # Another clock, another folder: a time stamp or a path in a file would show.
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    again = make_federation(tmp_path / "elsewhere", anatomy="liver", cases_per_site=CASES, seed=5)
    for first, second in zip(federation, again, strict=True):
        assert digests(first.path) == digests(second.path)


def test_another_seed_gives_other_patients(tmp_path, federation):
    (other,) = make_federation(tmp_path / "other", anatomy="liver", cases_per_site=(3,), seed=6)
    assert other.ct_path("site_a_000").read_bytes() != federation[0].ct_path("site_a_000").read_bytes()


def test_patients_of_a_site_differ(federation):
    site = federation[0]
    assert len({site.ct_path(case).read_bytes() for case in site.cases}) == len(site.cases)


def test_a_case_does_not_depend_on_the_others(tmp_path, federation):
    alone, _ = make_federation(tmp_path / "root", anatomy="liver", cases_per_site=(3, 3), seed=5)
    case = "site_a_000"
    assert alone.ct_path(case).read_bytes() == federation[0].ct_path(case).read_bytes()


def test_every_site_has_its_cases_and_every_split(federation):
    assert [dataset.path.name for dataset in federation] == ["site_a", "site_b", "site_c"]
    for dataset, cases in zip(federation, CASES, strict=True):
        assert len(dataset.cases) == cases
        assert all(dataset.cases_of(split) for split in SPLITS)


@given(st.integers(3, 200), st.integers(0, 5))
def test_splits_are_about_60_15_25(cases, seed):
    splits = split_of_cases(cases, np.random.default_rng(seed))
    counts = {split: splits.count(split) for split in SPLITS}
    assert sum(counts.values()) == cases
    assert min(counts.values()) >= 1
    assert abs(counts["test"] - 0.25 * cases) <= 1
    assert abs(counts["valid"] - 0.15 * cases) <= 1


def test_left_is_left_in_patient_coordinates(federation):
    """SimpleITK's physical x grows to the patient's left, y to the back, z to the head, whatever the file's axes."""
    for dataset in federation:
        for case, record in dataset.cases.items():
            places = {name: centroid_mm(dataset.read_mask(case, name)) for name in record.structures}
            if {"Liver", "Spleen"} <= set(places):
                assert places["Liver"][0] < -15 < 40 < places["Spleen"][0]
            if {"Kidney_L", "Kidney_R"} <= set(places):
                assert places["Kidney_L"][0] > 30 > -30 > places["Kidney_R"][0]
            if {"SpinalCord", "Liver"} <= set(places):
                assert places["SpinalCord"][1] > places["Liver"][1] + 30


def test_masks_lie_on_the_ct_as_they_were_made(federation):
    """The aorta of the file is the bright tube of its CT: array order and axes agree."""
    bright = {"arterial": 120, "portal": 70, "native": 0}
    for dataset in federation:
        floor_hu = bright[dataset.provenance["site_shift"]["phase"]]
        for case, record in dataset.cases.items():
            if "A_Aorta" in record.structures:
                mask = sitk.GetArrayFromImage(dataset.read_mask(case, "A_Aorta")) > 0
                assert np.median(sitk.GetArrayFromImage(dataset.read_ct(case))[mask]) > floor_hu


def test_sites_differ_and_say_how(federation):
    shifts = [dataset.provenance["site_shift"] for dataset in federation]
    assert len({shift["phase"] for shift in shifts}) == 3
    assert len({shift["noise_hu"] for shift in shifts}) == 3
    assert shifts[0]["never_contoured"] == []
    assert shifts[1]["never_contoured"] != shifts[2]["never_contoured"]
    for dataset, shift in zip(federation, shifts, strict=True):
        contoured = {name for record in dataset.cases.values() for name in record.structures}
        assert not contoured & set(shift["never_contoured"])
        assert not any(dataset.mask_path(case, name).exists() for case in dataset.cases for name in shift["never_contoured"])
        assert all(record.spacing_mm == pytest.approx(shift["spacing_mm"]) for record in dataset.cases.values())


def test_a_finished_federation_is_left_as_it_is_and_a_stopped_one_continued(tmp_path, monkeypatch):
    root = tmp_path / "root"
    real, made = generate.make_case, []

    def stops_at_third(*arguments):
        made.append(1)
        if len(made) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(generate, "make_case", stops_at_third)
    with pytest.raises(KeyboardInterrupt):
        make_federation(root, anatomy="head_neck", cases_per_site=(3,), seed=1)
    assert len(Dataset.open(root / "site_a").cases) == 2
    (whole,) = make_federation(root, anatomy="head_neck", cases_per_site=(3,), seed=1)
    assert len(whole.cases) == 3
    assert len(made) == 4
    make_federation(root, anatomy="head_neck", cases_per_site=(3,), seed=1)
    assert len(made) == 4
    monkeypatch.setattr(generate, "make_case", real)
    make_federation(tmp_path / "at_once", anatomy="head_neck", cases_per_site=(3,), seed=1)
    assert digests(root) == digests(tmp_path / "at_once")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"anatomy": "thorax"}, "anatomy of liver, head_neck, found 'thorax'"),
        ({"size": "huge"}, "size of small, medium, found 'huge'"),
        ({"cases_per_site": (4, 2)}, "at least 3 cases at every phantom site .* found 2"),
        ({"cases_per_site": ()}, "1 to 26 phantom sites, found 0"),
        ({"cases_per_site": (3,) * 27}, "found 27"),
        ({"seed": -1}, "seed of 0 or more, found -1"),
    ],
)
def test_impossible_arguments_are_refused_and_nothing_is_written(tmp_path, change, message):
    arguments = {"anatomy": "liver", "cases_per_site": (3,), "seed": 0} | change
    with pytest.raises(DatasetError, match=message):
        make_federation(tmp_path / "root", **arguments)
    assert not (tmp_path / "root").exists()


def test_a_folder_that_holds_something_else_is_refused_before_any_site_is_written(tmp_path, federation):
    (tmp_path / "site_b").mkdir()
    with pytest.raises(DatasetError, match="'site_b' to be new"):
        make_federation(tmp_path, anatomy="liver", cases_per_site=(3, 3))
    assert not (tmp_path / "site_a").exists()
    before = digests(federation[0].path)
    with pytest.raises(DatasetError, match="made in another way"):
        make_federation(federation[0].path.parent, anatomy="liver", cases_per_site=CASES, seed=7)
    assert digests(federation[0].path) == before


def test_index_is_plain_json(federation):
    content = json.loads((federation[0].path / "dataset.json").read_text())
    assert content["anatomy"] == "liver"
    assert content["provenance"]["seed"] == 5
