"""A mean never hides who is not in it."""

import math

import numpy as np
import pytest

from src.evaluation.structure_metrics import measure
from src.evaluation.structure_summary import summarise_metrics

SPACING_MM = (1.0, 1.0, 3.0)
EMPTY, LEFT, FULL = np.zeros((4, 4, 4), bool), np.zeros((4, 4, 4), bool), np.ones((4, 4, 4), bool)
LEFT[:2] = True


def test_missed_and_invented_organs_cost_dice_and_are_counted_beside_the_distances():
    pairs = [(FULL, FULL), (LEFT, FULL), (EMPTY, FULL), (EMPTY, LEFT), (FULL, EMPTY), (EMPTY, EMPTY)]
    cases = [{"Larynx": measure(pred, truth, SPACING_MM, 0.0)} for pred, truth in pairs]
    cases.append({"Brainstem": measure(FULL, FULL, SPACING_MM, None)})
    found = summarise_metrics(cases, ["Larynx"])["Larynx"]
    assert (found.num_compared, found.num_missed, found.num_invented, found.num_both_empty) == (2, 2, 1, 1)
    half = cases[1]["Larynx"]
    assert found.dice == pytest.approx((1 + half.dice) / 5)
    assert found.surface_dice == pytest.approx((1 + half.surface_dice) / 5)
    assert found.volume_difference_cm3 == pytest.approx((0 - 0.096 - 0.192 - 0.096 + 0.192) / 5)
    assert found.hd95_mm == pytest.approx(half.hd95_mm / 2) and found.assd_mm == pytest.approx(half.assd_mm / 2)


def test_a_structure_without_tolerance_has_no_surface_dice():
    found = summarise_metrics([{"Brainstem": measure(FULL, LEFT, SPACING_MM, None)}], ["Brainstem"])["Brainstem"]
    assert found.surface_dice is None and found.dice == pytest.approx(2 / 3)


def test_what_nobody_contoured_has_no_mean():
    found = summarise_metrics([{"Brainstem": measure(FULL, LEFT, SPACING_MM, 1.0)}], ["Larynx"])["Larynx"]
    assert (found.num_compared, found.num_missed, found.num_invented, found.num_both_empty) == (0, 0, 0, 0)
    assert math.isnan(found.dice) and math.isnan(found.hd95_mm)
