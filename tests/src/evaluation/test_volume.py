"""Volumes in cm³ and their difference, signed."""

import math

import numpy as np
import pytest
from hypothesis import given

from src.evaluation.mask_pair import pair_masks
from src.evaluation.volume import pred_cm3, relative_volume_difference, truth_cm3, volume_difference_cm3
from tests.src.evaluation.mask_shapes import ball, small_masks, spacings


@given(small_masks(), small_masks(), spacings())
def test_difference_is_prediction_minus_truth(pred, truth, spacing_mm):
    pair, turned = pair_masks(pred, truth, spacing_mm), pair_masks(truth, pred, spacing_mm)
    assert volume_difference_cm3(pair) == pytest.approx(pred_cm3(pair) - truth_cm3(pair), abs=1e-12)
    assert volume_difference_cm3(pair) == -volume_difference_cm3(turned)
    if truth.any():
        assert relative_volume_difference(pair) == pytest.approx(pred_cm3(pair) / truth_cm3(pair) - 1)
    else:
        assert math.isnan(relative_volume_difference(pair))


def test_a_ball_has_a_ball_s_volume():
    spacing_mm = (0.5, 0.5, 1.0)
    mask = ball((70, 70, 36), (34, 34, 17), 15.0, spacing_mm)
    pair = pair_masks(mask, np.zeros_like(mask), spacing_mm)
    assert pred_cm3(pair) == pytest.approx(4 / 3 * math.pi * 1.5**3, rel=0.01)
    assert truth_cm3(pair) == 0
