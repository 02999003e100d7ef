"""What is called normal is complete, sourced, the same on both sides, and true of published contours."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from data_prep.checks.mask_facts import mask_facts
from data_prep.checks.normal_anatomy import load_normal_anatomy
from data_prep.checks.volume import check_volumes
from src.data.structures import load_structures
from tests.conftest import SHARED_DATA


def test_every_structure_has_a_row_and_every_volume_a_source():
    normal = load_normal_anatomy()
    assert set(normal) == {structure.name for structure in load_structures()}
    for name, row in normal.items():
        limits = [limit for limit in row.volume_cm3 if limit is not None]
        assert bool(limits) == bool(row.source), name
        assert limits == sorted(limits), name
        assert all(limit > 0 for limit in limits), name
        assert row.median_hu is None or row.median_hu[0] < row.median_hu[1], name


def test_left_and_right_are_alike():
    normal = load_normal_anatomy()
    for structure in load_structures():
        if structure.partner and not structure.name.startswith("Lung"):  # the right lung is the larger one
            assert normal[structure.name] == normal[structure.partner]


@pytest.mark.slow
def test_published_contours_of_ten_patients_are_normal():
    folder = SHARED_DATA / "hn_interobserver_labels"
    if not folder.is_dir():
        pytest.skip("the published contours are not on this machine (../shared/data/hn_interobserver_labels)")
    numbers = json.loads((folder / "manifest.json").read_text())["labels"]
    warned, looked_at = [], 0
    for path in sorted(folder.glob("*_oncologist.nii.gz")):
        labels = sitk.ReadImage(str(path))
        for native, number in numbers.items():
            name = load_structures().match(native)
            facts = mask_facts(labels == number) if name else None
            if facts is not None and facts.num_voxels:
                looked_at += 1
                warned += list(check_volumes(path.name, {name: facts}))
    assert looked_at > 150
    assert len(warned) <= 0.01 * looked_at, warned


@pytest.mark.parametrize("name", ["SpinalCord", "Brainstem", "Parotid_R"])
def test_a_volume_of_422_cm3_is_not_normal(name):
    """A spinal cord of that size was found in OpenKBP."""
    voxels = np.zeros((42, 102, 102), np.uint8)
    voxels[1:-1, 1:-1, 1:-1].flat[: 422 * 1000 // 1] = 1
    mask = sitk.GetImageFromArray(voxels)
    mask.SetSpacing((1.0, 1.0, 422 / 400))
    assert mask_facts(mask).volume_cm3 == pytest.approx(422)
    assert len(list(check_volumes("case_1", {name: mask_facts(mask)}))) == 1
