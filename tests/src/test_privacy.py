"""No figure depends on one patient by more than a fifth, none comes from fewer than five, and no count tells of one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.privacy import (
    FEWEST_PATIENTS,
    round_to_digits,
    shareable_count,
    shareable_mean,
    shareable_percentiles,
)

VALUES = st.floats(-1e4, 1e4, allow_nan=False)
PERCENTS = (5, 25, 50, 75, 95)


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, "<5"), (4, "<5"), (5, 5), (120, 120)])
def test_counts(count, told):
    assert shareable_count(count) == told


@pytest.mark.parametrize("patients", range(5))
def test_fewer_than_five_patients_tell_nothing(patients):
    assert shareable_percentiles([1.0] * patients, PERCENTS) is None
    assert shareable_mean([1.0] * patients) is None


@given(st.lists(VALUES, min_size=5, max_size=60), st.data())
def test_one_patient_moves_no_figure_by_more_than_a_fifth_of_the_change(values, data):
    """So nobody reads a patient's value from a figure: four others would have to be known."""
    patient = data.draw(st.integers(0, len(values) - 1))
    other = data.draw(VALUES)
    changed = [other if number == patient else value for number, value in enumerate(values)]
    bound = abs(other - values[patient]) / FEWEST_PATIENTS + 1e-6
    before, after = shareable_percentiles(values, PERCENTS), shareable_percentiles(changed, PERCENTS)
    assert all(abs(before[percent] - after[percent]) <= bound for percent in before)
    assert abs(shareable_mean(values) - shareable_mean(changed)) <= bound


def test_the_extreme_of_one_patient_is_no_figure():
    """A common percentile would tell 900 and 1 as they are."""
    values = [1.0, *[100.0] * 18, 900.0]
    told = shareable_percentiles(values, (0, 5, 50, 95, 100))
    assert {1.0, 900.0}.isdisjoint(told.values())
    assert told["50"] == 100.0


@given(st.lists(VALUES, min_size=5, max_size=60), st.randoms())
def test_order_says_nothing_and_percentiles_rise_within_the_range(values, random):
    shuffled = random.sample(values, len(values))
    told = shareable_percentiles(values, PERCENTS)
    assert told == shareable_percentiles(shuffled, PERCENTS)
    assert list(told.values()) == sorted(told.values())
    assert min(values) - 1e-6 <= told["5"]
    assert told["95"] <= max(values) + 1e-6


def test_many_patients_give_nearly_the_common_percentiles():
    values = np.random.default_rng(0).normal(2.5, 0.5, 2000)
    told = shareable_percentiles(values, PERCENTS)
    assert np.allclose(list(told.values()), np.percentile(values, PERCENTS), atol=0.02)


def test_rounding():
    assert [round_to_digits(value) for value in (1234, 26.7, 0.0567, 0)] == [1200, 27, 0.057, 0]
