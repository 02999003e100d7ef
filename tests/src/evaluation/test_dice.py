"""Dice against an independent implementation, and the stated rule for every empty case."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra.numpy import arrays
from monai.metrics import compute_dice

from src.errors import MetricInputError
from src.evaluation.dice import dice, macro_mean, summarise

masks = arrays(bool, (3, 4, 2))


@given(masks, masks)
def test_equals_monai(pred, truth):
    one_hot = [torch.from_numpy(mask)[None, None].float() for mask in (pred, truth)]
    expected = float(compute_dice(*one_hot, ignore_empty=False))
    if not pred.any() and not truth.any():
        assert expected == 1.0  # MONAI's rule with ignore_empty=False; ours calls it a true absence
        assert math.isnan(dice(pred, truth))
    else:
        assert dice(pred, truth) == pytest.approx(expected, abs=1e-6)


@given(masks, masks)
def test_symmetric_and_bounded(pred, truth):
    if pred.any() or truth.any():
        assert 0 <= dice(pred, truth) == dice(truth, pred) <= 1


def test_one_empty_is_zero():
    full, empty = np.ones((2, 2, 2), bool), np.zeros((2, 2, 2), bool)
    assert dice(full, empty) == dice(empty, full) == 0.0


def test_another_shape_is_refused():
    with pytest.raises(MetricInputError, match=r"\(2, 2, 2\) and \(2, 2, 3\)"):
        dice(np.zeros((2, 2, 2)), np.zeros((2, 2, 3)))


def test_unknown_absent_and_missed_are_three_things():
    cases = [{"Larynx": 0.8, "Brainstem": 0.5}, {"Larynx": math.nan}, {"Larynx": 0.0}]
    summary = summarise(cases, ["Larynx", "Brainstem", "Esophagus"])
    assert (summary["Larynx"].mean, summary["Larynx"].num_scored, summary["Larynx"].num_absent) == (0.4, 2, 1)
    assert (summary["Brainstem"].num_scored, summary["Brainstem"].num_absent) == (1, 0)
    assert math.isnan(summary["Esophagus"].mean)
    assert macro_mean(summary) == pytest.approx(0.45)
    assert math.isnan(macro_mean(summarise([], ["Larynx"])))
