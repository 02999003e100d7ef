"""Slices left out and stray clicks are found; what may lie in pieces is left alone."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from src.case_checks.mask_facts import mask_facts
from src.case_checks.pieces import check_pieces, farthest_piece_mm
from tests.src.case_checks.patient import image, organ


def findings(name: str, mask: sitk.Image) -> list[str]:
    return [finding.what for finding in check_pieces("case_1", {name: mask_facts(mask)})]


def without_slice(mask: sitk.Image) -> sitk.Image:
    voxels = sitk.GetArrayFromImage(mask)
    z = np.flatnonzero(voxels.any(axis=(1, 2)))
    voxels[z[len(z) // 2]] = 0
    return image(voxels)


def test_a_slice_left_out():
    assert findings("Brainstem", organ("Brainstem")) == []
    assert ["empty slices" in what for what in findings("Brainstem", without_slice(organ("Brainstem")))] == [True]


@pytest.mark.parametrize("name", ["Lips", "Bowel_Small", "BrachialPlex_L"])
def test_what_may_lie_in_pieces(name):
    assert findings(name, organ("Parotid_L") | organ("Parotid_R") | without_slice(organ("Brainstem"))) == []


def test_one_stray_voxel_and_two_glands_in_one_mask():
    stray = sitk.GetArrayFromImage(organ("Parotid_L"))
    stray[15, 20, 5] = 1
    for mask in (image(stray), organ("Parotid_L") | organ("Parotid_R")):
        assert ["a piece more than 20 mm" in what for what in findings("Parotid_L", mask)] == [True]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 25), st.integers(1, 25), st.integers(0, 8), st.integers(1, 4))
def test_the_distance_is_that_of_the_nearest_voxels(x, y, z, thickness):
    """A block and one voxel: the distance between voxel centres, in mm, or 0 where they touch at least by a corner."""
    voxels = np.zeros((14, 40, 40), np.uint8)
    voxels[1 : 1 + thickness, 1:4, 1:4] = 1
    voxels[thickness + z, 3 + y, 3 + x] = 1
    touching = max(x, y, z) <= 1
    expected = 0.0 if touching else float(np.linalg.norm(np.array([x * 6.0, y * 6.0, z * 5.0])))
    assert farthest_piece_mm(mask_facts(image(voxels))) == pytest.approx(expected)


def test_an_empty_mask_and_one_of_many_crumbs():
    assert findings("Parotid_L", image(np.zeros((5, 5, 5), np.uint8))) == []
    crumbs = (np.random.default_rng(0).random((30, 40, 48)) < 0.02).astype(np.uint8)
    assert farthest_piece_mm(mask_facts(image(crumbs))) > 100
