"""A median HU tells another tissue; air, fat and contrast medium within reason do not."""

import numpy as np
import pytest
import SimpleITK as sitk

from src.case_checks.mask_facts import mask_facts
from src.case_checks.tissue import check_tissue
from tests.src.case_checks.patient import organ


def findings(name: str, hu: float, place: str = "Brainstem") -> list[str]:
    mask = organ(place)
    hu_ZYX = np.full(mask.GetSize()[::-1], hu, np.int16)
    return [finding.what for finding in check_tissue("case_1", hu_ZYX, {name: mask_facts(mask)})]


@pytest.mark.parametrize(
    ("name", "hu", "fits"),
    [
        ("Brainstem", 30, True),
        ("Brainstem", 335, False),  # openkbp_221, whose contours lie in bone
        ("Parotid_L", -90, True),  # a fatty gland
        ("Parotid_L", -900, False),
        ("Kidney_L", 220, True),  # after contrast medium
        ("Liver", -600, False),
        ("Lung_L", -800, True),
        ("Lung_L", 40, False),
        ("Bone_Mandible", 900, True),
        ("Bone_Mandible", 40, False),
        ("Larynx", -700, True),  # it holds air
        ("Stomach", -900, True),
    ],
)
def test_medians(name, hu, fits):
    assert ["is not its tissue" in what for what in findings(name, hu)] == [True] * (not fits)


def test_a_few_voxels_say_nothing_and_half_of_metal_says_nothing():
    tiny = mask_facts(organ("Parotid_L", volume_cm3=2))
    assert list(check_tissue("case_1", np.full((30, 40, 48), 900, np.int16), {"Parotid_L": tiny})) == []
    mask = organ("Parotid_L")
    hu_ZYX = np.full(mask.GetSize()[::-1], 40, np.int16)
    inside = np.argwhere(sitk.GetArrayViewFromImage(mask))
    hu_ZYX[tuple(inside[: len(inside) * 2 // 5].T)] = 3000
    assert list(check_tissue("case_1", hu_ZYX, {"Parotid_L": mask_facts(mask)})) == []
