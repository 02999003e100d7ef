"""Patches: balanced over structures, inside the volume, and the same whoever draws them."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.data.sampling import PatchSampler, patch_generator
from src.errors import DatasetError


def case(size, *voxels_of_channels):
    centres = tuple(np.array(voxels, dtype=np.int32).reshape(-1, 3) for voxels in voxels_of_channels)
    return SimpleNamespace(grid=SimpleNamespace(size=size), centres=centres, contoured_C=np.array([True] * len(centres)))


def test_a_rare_structure_is_drawn_more_often_than_its_share_of_cases():
    common, rare = [(10, 10, 10)], [(30, 30, 30)]
    cases = [case((40, 40, 40), common, rare)] + [case((40, 40, 40), common, []) for _ in range(8)]
    sampler = PatchSampler(cases, (8, 8, 8), 0.0)
    places = [sampler.draw(patch_generator(0, "a", 0, step, 0)) for step in range(800)]
    near_rare = sum(place.start_XYZ[0] > 15 for place in places)
    # Weights 3 : 1 (square roots of 9 and 1 cases), against 9 : 1 by cases.
    assert near_rare == pytest.approx(200, abs=50)


def test_a_patch_around_a_structure_contains_its_voxel_and_lies_inside():
    voxels = [(3, 20, 39), (37, 1, 5)]
    sampler = PatchSampler([case((40, 40, 40), voxels)], (16, 16, 16), 0.0)
    seen = Counter()
    for step in range(200):
        start = np.array(sampler.draw(patch_generator(1, "a", 0, step, 0)).start_XYZ)
        assert (start >= 0).all() and (start + 16 <= 40).all()
        seen.update(voxel for voxel in voxels if ((start <= voxel) & (np.array(voxel) < start + 16)).all())
    assert set(seen) == set(voxels)
    assert seen.total() >= 200


@given(st.tuples(*[st.integers(1, 30)] * 3))
def test_a_volume_thinner_than_the_patch_is_centred_in_it(size):
    sampler = PatchSampler([case(size, [(0, 0, 0)])], (16, 16, 16), 0.5)
    start = sampler.draw(patch_generator(0, "a", 0, 0, 0)).start_XYZ
    for first, voxels in zip(start, size, strict=True):
        assert (first <= 0 and first + 16 >= voxels) if voxels < 16 else 0 <= first <= voxels - 16


def test_each_key_has_its_own_randomness():
    keys = [(0, "a", 0, 0, 0), (1, "a", 0, 0, 0), (0, "b", 0, 0, 0), (0, "a", 1, 0, 0), (0, "a", 0, 1, 0), (0, "a", 0, 0, 1)]
    draws = [patch_generator(*key).random() for key in keys]
    assert len(set(draws)) == len(keys)
    assert draws == [patch_generator(*key).random() for key in keys]


def test_no_case_and_no_voxel_are_refused():
    with pytest.raises(DatasetError, match="training case"):
        PatchSampler([], (8, 8, 8), 0.0)
    with pytest.raises(DatasetError, match="voxel"):
        PatchSampler([case((9, 9, 9), [])], (8, 8, 8), 0.0)
