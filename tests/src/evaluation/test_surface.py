"""Surfaces and distances against their definition, searched by brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from scipy.ndimage import distance_transform_edt
from scipy.spatial.distance import cdist

from src.errors import MetricInputError
from src.evaluation.mask_pair import pair_masks
from src.evaluation.surface import directed_distances_mm, surface_distances, surface_voxels
from tests.src.evaluation.mask_shapes import SPACINGS_MM, ball, blob, small_masks, small_pairs, spacings


@given(small_masks())
def test_a_surface_voxel_has_a_neighbour_outside(mask):
    padded = np.pad(mask, 1)
    surface = surface_voxels(mask)
    for voxel in np.ndindex(mask.shape):
        x, y, z = np.add(voxel, 1)
        neighbours = [
            padded[x + i, y + j, z + k] for i, j, k in itertools.product((-1, 0, 1), repeat=3) if abs(i) + abs(j) + abs(k) == 1
        ]
        assert surface[voxel] == (mask[voxel] and not all(neighbours))


@given(small_pairs(), spacings())
def test_distances_are_to_the_nearest_point(pair, spacing_mm):
    own, other = pair
    expected = cdist(np.argwhere(own) * spacing_mm, np.argwhere(other) * spacing_mm).min(axis=1)
    assert directed_distances_mm(own, other, spacing_mm) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("spacing_mm", SPACINGS_MM)
def test_equals_a_distance_transform(spacing_mm):
    own, other = surface_voxels(blob(1)), surface_voxels(blob(2))
    expected = distance_transform_edt(~other, sampling=spacing_mm)[own]
    assert directed_distances_mm(own, other, spacing_mm) == pytest.approx(expected, abs=1e-9)


def test_where_an_organ_leaves_the_scan_its_cut_face_is_surface():
    assert surface_voxels(np.ones((4, 4, 4), bool)).sum() == 4**3 - 2**3


def test_a_stray_voxel_at_the_far_end_of_a_scan_is_found_in_both_directions():
    truth = ball((64, 64, 40), (10, 10, 10), 5)
    pred = truth.copy()
    pred[60, 10, 10] = True
    distances = surface_distances(pair_masks(pred, truth, (1.0, 1.0, 2.0)))
    assert sorted(distances.pred_to_truth_mm)[-2:] == [0, 45]
    assert not distances.truth_to_pred_mm.any()


def test_there_is_no_distance_to_nothing():
    full, empty = np.ones((2, 2, 2), bool), np.zeros((2, 2, 2), bool)
    for pred, truth in [(full, empty), (empty, full), (empty, empty)]:
        with pytest.raises(MetricInputError, match="empty mask"):
            surface_distances(pair_masks(pred, truth, (1, 1, 1)))
