"""All measures together: equal to MONAI's, the laws of a comparison, and the rule for every empty mask."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from src.data.structures import load_structures
from src.errors import MetricInputError
from src.evaluation.dice import dice
from src.evaluation.structure_metrics import BOTH_EMPTY, COMPARED, INVENTED, MISSED, STATUSES, measure
from tests.src.evaluation.mask_shapes import SMALL, SPACINGS_MM, blob, small_masks, small_pairs, spacings
from tests.src.evaluation.monai_metrics import monai_metrics

SYMMETRIC = ("dice", "hd95_mm", "assd_mm", "surface_dice")
DIRECTED = ("volume_difference_cm3", "relative_volume_difference", "pred_cm3", "truth_cm3")
EMPTY, FULL = np.zeros(SMALL, bool), np.ones(SMALL, bool)
TOLERANCE_MM = 2.0


def close(found, expected, names=(*SYMMETRIC, *DIRECTED), scale=1.0) -> bool:
    return all(getattr(found, name) == pytest.approx(getattr(expected, name) * scale, rel=1e-6, abs=1e-9) for name in names)


@pytest.mark.parametrize("spacing_mm", SPACINGS_MM)
@pytest.mark.parametrize("seeds", [(1, 2), (3, 4), (5, 5)])
@pytest.mark.parametrize("tolerance_mm", [0.0, 1.0, 2.0])
def test_equals_monai_on_blobs(seeds, spacing_mm, tolerance_mm):
    # Blobs reach the edges of the grid; the second pair overlaps well, as a prediction does.
    pred, truth = blob(seeds[0]), blob(seeds[1])
    if seeds == (3, 4):
        truth = pred & ~np.roll(truth, 2, axis=0)
    found = asdict(measure(pred, truth, spacing_mm, tolerance_mm))
    for name, expected in monai_metrics(pred, truth, spacing_mm, tolerance_mm).items():
        assert found[name] == pytest.approx(expected, abs=2e-5), name


@settings(max_examples=25)
@given(small_pairs(), spacings(), st.sampled_from([0.3, 1.0, 1.5, 4.0]))
def test_equals_monai_on_any_masks(pair, spacing_mm, tolerance_mm):
    found = asdict(measure(*pair, spacing_mm, tolerance_mm))
    for name, expected in monai_metrics(*pair, spacing_mm, tolerance_mm).items():
        assert found[name] == pytest.approx(expected, abs=2e-5), name


@given(small_pairs(), spacings())
def test_prediction_and_truth_may_change_places(pair, spacing_mm):
    found, turned = measure(*pair, spacing_mm, TOLERANCE_MM), measure(*pair[::-1], spacing_mm, TOLERANCE_MM)
    assert close(found, turned, SYMMETRIC)
    assert (found.pred_cm3, found.truth_cm3) == (turned.truth_cm3, turned.pred_cm3)
    assert 0 <= found.dice <= 1 and 0 <= found.surface_dice <= 1 and found.assd_mm >= 0 and found.hd95_mm >= 0


@given(small_masks().filter(np.any), spacings())
def test_a_mask_agrees_with_itself_in_all(mask, spacing_mm):
    found = measure(mask, mask, spacing_mm, 0.0)
    assert (found.dice, found.surface_dice, found.hd95_mm, found.assd_mm, found.volume_difference_cm3) == (1, 1, 0, 0, 0)


@given(small_pairs(), spacings(), st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 3))
def test_where_in_the_scan_does_not_matter(pair, spacing_mm, margins):
    moved = [np.pad(mask, margins) for mask in pair]
    assert close(measure(*moved, spacing_mm, TOLERANCE_MM), measure(*pair, spacing_mm, TOLERANCE_MM))


@given(small_pairs(), spacings(), st.permutations(range(3)), st.sets(st.integers(0, 2)))
def test_neither_the_order_nor_the_direction_of_the_axes_matters(pair, spacing_mm, axes, flipped):
    turned = [np.flip(mask, tuple(flipped)).transpose(axes) for mask in pair]
    turned_mm = tuple(spacing_mm[axis] for axis in axes)
    assert close(measure(*turned, turned_mm, TOLERANCE_MM), measure(*pair, spacing_mm, TOLERANCE_MM))


@given(small_pairs(), spacings(), st.sampled_from([0.25, 1.7, 3.0]))
def test_twice_the_size_is_twice_as_far(pair, spacing_mm, factor):
    larger = measure(*pair, [factor * step for step in spacing_mm], factor * TOLERANCE_MM)
    found = measure(*pair, spacing_mm, TOLERANCE_MM)
    assert close(larger, found, ("dice", "surface_dice", "relative_volume_difference"))
    assert close(larger, found, ("hd95_mm", "assd_mm"), scale=factor)
    assert close(larger, found, ("volume_difference_cm3", "pred_cm3", "truth_cm3"), scale=factor**3)


@given(small_masks(), small_masks(), spacings(), st.sampled_from([None, TOLERANCE_MM]))
@example(pred=EMPTY, truth=EMPTY, spacing_mm=(1.0, 1.0, 3.0), tolerance_mm=TOLERANCE_MM)
@example(pred=EMPTY, truth=FULL, spacing_mm=(1.0, 1.0, 3.0), tolerance_mm=None)
@example(pred=FULL, truth=EMPTY, spacing_mm=(1.0, 1.0, 3.0), tolerance_mm=TOLERANCE_MM)
def test_only_what_was_compared_has_all_numbers(pred, truth, spacing_mm, tolerance_mm):
    found = measure(pred, truth, spacing_mm, tolerance_mm)
    assert found.status in STATUSES
    assert (found.status == COMPARED) == bool(pred.any() and truth.any())
    assert math.isnan(found.hd95_mm) == math.isnan(found.assd_mm) == (found.status != COMPARED)
    assert found.dice == pytest.approx(dice(pred, truth), nan_ok=True)
    assert (found.surface_dice is None) == (tolerance_mm is None)


def test_both_empty_is_a_true_absence_without_a_score():
    found = measure(EMPTY, EMPTY, (1, 1, 3), TOLERANCE_MM)
    scores = (found.dice, found.surface_dice, found.hd95_mm, found.assd_mm)
    assert found.status == BOTH_EMPTY and all(math.isnan(value) for value in scores)
    assert math.isnan(found.volume_difference_cm3) and math.isnan(found.relative_volume_difference)
    assert (found.pred_cm3, found.truth_cm3) == (0, 0)


def test_a_missed_organ_overlaps_by_nothing_and_has_no_distance():
    found = measure(EMPTY, FULL, (1, 1, 3), TOLERANCE_MM)
    assert (found.status, found.dice, found.surface_dice) == (MISSED, 0, 0)
    assert math.isnan(found.hd95_mm) and math.isnan(found.assd_mm)
    assert found.volume_difference_cm3 == pytest.approx(-0.18) and found.relative_volume_difference == -1


def test_an_invented_organ_overlaps_by_nothing_and_has_no_distance():
    found = measure(FULL, EMPTY, (1, 1, 3), TOLERANCE_MM)
    assert (found.status, found.dice, found.surface_dice) == (INVENTED, 0, 0)
    assert math.isnan(found.hd95_mm) and math.isnan(found.assd_mm) and math.isnan(found.relative_volume_difference)
    assert found.volume_difference_cm3 == pytest.approx(0.18)


@pytest.mark.parametrize("shape", [(0, 4, 4), (4, 0, 4), (0, 0, 0)])
def test_a_grid_without_a_voxel_is_empty(shape):
    assert measure(np.zeros(shape, bool), np.zeros(shape, bool), (1, 1, 1), 1.0).status == BOTH_EMPTY


@pytest.mark.parametrize("structure", load_structures(), ids=lambda structure: structure.name)
def test_every_structure_s_own_tolerance_is_one(structure):
    found = measure(FULL, FULL, (1, 1, 3), structure.tolerance_mm)
    assert found.surface_dice == (None if structure.tolerance_mm is None else 1.0)


@pytest.mark.parametrize("masks", [(EMPTY, EMPTY), (EMPTY, FULL), (FULL, FULL)])
def test_mistakes_are_refused_whatever_the_masks_hold(masks):
    with pytest.raises(MetricInputError, match="tolerance in mm"):
        measure(*masks, (1, 1, 3), -1.0)
    with pytest.raises(MetricInputError, match="spacing of three numbers"):
        measure(*masks, (1, 1, 0), 1.0)
    with pytest.raises(MetricInputError, match="one shape"):
        measure(masks[0][1:], masks[1], (1, 1, 3), 1.0)
    with pytest.raises(MetricInputError, match="not contoured"):
        measure(masks[0], None, (1, 1, 3), 1.0)
