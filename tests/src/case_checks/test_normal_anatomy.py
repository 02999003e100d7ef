"""What is called normal is complete, sourced, the same on both sides, and true of published contours."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from src.case_checks.mask_facts import mask_facts
from src.case_checks.normal_anatomy import load_normal_anatomy
from src.case_checks.volume import check_volumes
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


def cut_out(labels: sitk.Image, box) -> sitk.Image:
    """A box and three voxels around it; at the end of the image, where there are none, its end stays its end."""
    spans = [(max(0, part.start - 3), min(size, part.stop + 3)) for part, size in zip(box[::-1], labels.GetSize(), strict=True)]
    return labels[tuple(slice(*span) for span in spans)]


@pytest.mark.slow
def test_published_contours_of_five_patients_are_normal():
    folder = SHARED_DATA / "hn_interobserver_labels"
    if not folder.is_dir():
        pytest.skip("the published contours are not on this machine (../shared/data/hn_interobserver_labels)")
    numbers = json.loads((folder / "manifest.json").read_text())["labels"]
    warned, looked_at = [], 0
    for path in sorted(folder.glob("*_oncologist.nii.gz"))[::2]:
        labels = sitk.ReadImage(str(path))
        boxes = ndimage.find_objects(sitk.GetArrayViewFromImage(labels), max(numbers.values()))
        for native, number in numbers.items():
            name, box = load_structures().match(native), boxes[number - 1]
            if name and box:
                looked_at += 1
                warned += check_volumes(path.name, {name: mask_facts(cut_out(labels, box) == number)})
    assert looked_at > 80
    assert len(warned) <= 0.02 * looked_at, warned  # of one gland only a rest of 0.7 cm3 is left, rightly named


@pytest.mark.parametrize("name", ["SpinalCord", "Brainstem", "Parotid_R"])
def test_a_volume_of_422_cm3_is_not_normal(name):
    """A spinal cord of that size was found in OpenKBP."""
    voxels = np.zeros((42, 102, 102), np.uint8)
    voxels[1:-1, 1:-1, 1:-1].flat[: 422 * 1000 // 1] = 1
    mask = sitk.GetImageFromArray(voxels)
    mask.SetSpacing((1.0, 1.0, 422 / 400))
    assert mask_facts(mask).volume_cm3 == pytest.approx(422)
    assert len(list(check_volumes("case_1", {name: mask_facts(mask)}))) == 1
