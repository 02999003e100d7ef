"""The facts of a mask are those of its voxels, wherever it lies and however its axes run."""

import numpy as np
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from src.case_checks.mask_facts import mask_facts, shared_voxels
from tests.src.case_checks.patient import image

SEEDS = st.integers(0, 2**32 - 1)


def scattered(seed: int, share: float = 0.02) -> np.ndarray:
    return (np.random.default_rng(seed).random((6, 7, 8)) < share).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.floats(0, 0.3))
def test_the_box_holds_every_voxel_and_no_empty_side(seed, share):
    voxels = scattered(seed, share)
    facts = mask_facts(image(voxels))
    rebuilt = np.zeros_like(voxels)
    rebuilt[facts.box] = facts.inside_ZYX
    assert np.array_equal(rebuilt, voxels)
    assert facts.num_voxels == voxels.sum()
    if facts.num_voxels:
        assert all(facts.inside_ZYX.any(axis=tuple({0, 1, 2} - {axis}))[[0, -1]].all() for axis in range(3))


@settings(max_examples=60, deadline=None)
@given(SEEDS, SEEDS)
def test_shared_voxels_are_those_in_both(one, other):
    first, second = scattered(one, 0.1), scattered(other, 0.1)
    assert shared_voxels(mask_facts(image(first)), mask_facts(image(second))) == np.count_nonzero(first & second)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.sampled_from(["RAS", "LPI", "SPL", "PIR"]))
def test_the_axes_of_the_file_do_not_matter(seed, orientation):
    mask = image(scattered(seed) | np.eye(6, 8, dtype=np.uint8)[:, None])
    facts, turned = mask_facts(mask), mask_facts(sitk.DICOMOrient(mask, orientation))
    assert np.array_equal(facts.inside_ZYX, turned.inside_ZYX)
    assert facts.box == turned.box
    assert facts.spacing_ZYX_mm == turned.spacing_ZYX_mm
    assert np.allclose(facts.centroid_lps_mm, turned.centroid_lps_mm)


def test_volume_share_centroid_and_ends_of_one_voxel():
    voxels = np.zeros((10, 10, 10), np.uint8)
    voxels[1, 4, 7] = 1
    mask = image(voxels, (2.0, 3.0, 5.0))
    facts = mask_facts(mask)
    assert (facts.volume_cm3, facts.share) == (0.03, 0.001)
    assert np.allclose(facts.centroid_lps_mm, mask.TransformIndexToPhysicalPoint((7, 4, 1)))
    assert (facts.ends_within(1), facts.ends_within(2)) == (False, True)


def test_an_empty_mask_has_no_place():
    facts = mask_facts(image(np.zeros((3, 3, 3), np.uint8)))
    assert (facts.num_voxels, facts.volume_cm3, facts.centroid_lps_mm, facts.ends_within(9)) == (0, 0, None, False)
    assert shared_voxels(facts, facts) == 0
