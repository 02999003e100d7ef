"""Surface Dice: areas of surface elements, and what a tolerance does."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics import compute_surface_dice

from src.errors import MetricInputError
from src.evaluation.mask_pair import pair_masks
from src.evaluation.surface_dice import surface_dice, surfel_areas_mm2
from tests.src.evaluation.mask_shapes import SPACINGS_MM, ball, blob, plane, small_masks, small_pairs, spacings

TOLERANCES_MM = st.sampled_from([0.0, 0.5, 0.98, 1.0, 2.0, 2.5, 3.0])


def voxel_counted(pred, truth, spacing_mm, tolerance_mm) -> float:
    tensors = [torch.from_numpy(mask)[None, None].float() for mask in (pred, truth)]
    return float(compute_surface_dice(*tensors, [tolerance_mm], include_background=True, spacing=spacing_mm))


@pytest.mark.parametrize("spacing_mm", SPACINGS_MM)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flat_face_has_the_area_of_a_voxel_s_face_at_each_corner(axis, spacing_mm):
    areas = surfel_areas_mm2(plane((5, 5, 5), axis, 2), spacing_mm)
    flat = np.moveaxis(areas, axis, 0)
    face_mm2 = math.prod(spacing_mm) / spacing_mm[axis]
    assert flat[2, 2, 2] == pytest.approx(face_mm2, rel=1e-6) and flat[3, 2, 2] == pytest.approx(face_mm2, rel=1e-6)
    assert flat[1].sum() == flat[4].sum() == 0


@given(small_masks(), spacings())
def test_there_is_surface_where_the_eight_voxels_at_a_corner_differ(mask, spacing_mm):
    padded = np.pad(mask, 1)
    eight = np.stack([padded[i : i + 6, j : j + 5, k : k + 4] for i, j, k in np.ndindex(2, 2, 2)])
    assert np.array_equal(surfel_areas_mm2(mask, spacing_mm) > 0, eight.any(axis=0) & ~eight.all(axis=0))


@given(small_pairs(), spacings(), st.lists(TOLERANCES_MM, min_size=2, max_size=4))
def test_more_tolerance_never_lowers_it(pair, spacing_mm, tolerances_mm):
    found = [surface_dice(pair_masks(*pair, spacing_mm), tolerance) for tolerance in sorted(tolerances_mm)]
    assert found == sorted(found) and found[0] >= 0
    assert surface_dice(pair_masks(*pair, spacing_mm), 50.0) == 1.0


def test_without_tolerance_only_shared_surface_counts():
    pred, truth = ball((20, 20, 20), (6, 10, 10), 3), ball((20, 20, 20), (14, 10, 10), 3)
    assert surface_dice(pair_masks(pred, pred, (1, 1, 2)), 0) == 1.0
    assert surface_dice(pair_masks(pred, truth, (1, 1, 2)), 0) == 0.0
    assert 0 < surface_dice(pair_masks(pred | truth, truth, (1, 1, 2)), 0) < 1


def test_a_shifted_ball_agrees_where_the_shift_runs_along_the_surface():
    """Moved by d, a ball's surface is d |cos| apart, and the share of its area with |cos| below τ / d is τ / d."""
    spacing_mm = (0.5, 0.5, 0.5)
    masks = [ball((80, 64, 64), (middle, 32, 32), 14.0, spacing_mm) for middle in (34, 42)]
    pair = pair_masks(*masks, spacing_mm)
    for tolerance_mm in (1.0, 2.0, 3.0):
        assert surface_dice(pair, tolerance_mm) == pytest.approx(tolerance_mm / 4.0, abs=0.08)


@pytest.mark.parametrize("spacing_mm", [(0.8, 0.8, 0.8), (1.1, 1.1, 1.1), (0.6, 0.9, 1.7)])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("layers", [1, 3, 7])
def test_a_distance_that_equals_the_tolerance_but_for_rounding_is_within(spacing_mm, axis, layers):
    shape = [12, 12, 12]
    pair = pair_masks(plane(shape, axis, 1), plane(shape, axis, 1 + layers), spacing_mm)
    tolerance_mm = round(layers * spacing_mm[axis], 6)  # as written in a table: 2.4, where 3 * 0.8 is a little more
    assert surface_dice(pair, tolerance_mm) == 1.0
    assert surface_dice(pair, tolerance_mm - 0.001) < 1.0


def test_it_is_the_area_that_counts_and_not_the_voxels():
    spacing_mm, tolerance_mm = (0.9, 0.9, 2.7), 1.0
    pred, truth = blob(3), blob(3) & np.roll(blob(3), 1, axis=2)
    ours = surface_dice(pair_masks(pred, truth, spacing_mm), tolerance_mm)
    assert abs(ours - voxel_counted(pred, truth, spacing_mm, tolerance_mm)) > 0.02


@settings(max_examples=10)
@given(st.one_of(st.floats(max_value=-1e-9), st.sampled_from([math.nan, math.inf, -math.inf, None, "2", True])))
def test_a_tolerance_that_is_none_is_refused(tolerance_mm):
    mask = np.ones((2, 2, 2), bool)
    with pytest.raises(MetricInputError, match="tolerance in mm"):
        surface_dice(pair_masks(mask, mask, (1, 1, 1)), tolerance_mm)


def test_there_is_no_surface_dice_of_nothing():
    full, empty = np.ones((2, 2, 2), bool), np.zeros((2, 2, 2), bool)
    with pytest.raises(MetricInputError, match="empty mask"):
        surface_dice(pair_masks(full, empty, (1, 1, 1)), 1.0)
