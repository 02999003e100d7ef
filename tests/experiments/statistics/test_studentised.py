"""The interval equals a slow one written patient by patient, and moves and scales with the values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.statistics.averages import cells_of
from experiments.statistics.studentised import studentised_interval

site_P = np.repeat([0, 1, 2], [6, 4, 1])


def table(seed: int) -> np.ndarray:
    """11 patients × 3 structures, some not contoured."""
    generator = np.random.default_rng(seed)
    values_PK = generator.normal(0.7, 0.1, (len(site_P), 3))
    values_PK[generator.random(values_PK.shape) < 0.2] = np.nan
    return values_PK


def draws(seed: int, num_resamples: int) -> np.ndarray:
    """Per resample the drawn patients, as positions."""
    generator = np.random.default_rng(seed)
    sites = [np.flatnonzero(site_P == site) for site in range(3)]
    return np.array([np.concatenate([generator.choice(here, len(here)) for here in sites]) for _ in range(num_resamples)])


def weights_of(drawn: np.ndarray) -> np.ndarray:
    return np.array([np.bincount(row, minlength=len(site_P)) for row in drawn], float).T


def mean_and_error(values_PK: np.ndarray, positions: np.ndarray) -> tuple[float, float]:
    """Of the patients drawn: the macro mean of the cells that the whole table has, and the error of its linear part."""
    mean, variance = 0.0, 0.0
    for site in range(3):
        everyone = np.flatnonzero(site_P == site)
        columns = [k for k in range(3) if not np.isnan(values_PK[everyone, k]).all()]
        here = [p for p in positions if site_P[p] == site]
        influence = dict.fromkeys(range(len(here)), 0.0)
        for k in columns:
            share = 1 / len(columns) / 3
            found = [n for n, p in enumerate(here) if not math.isnan(values_PK[p, k])]
            if not found:
                mean += share * float(np.nanmean(values_PK[everyone, k]))
                continue
            cell = sum(values_PK[here[n], k] for n in found) / len(found)
            mean += share * cell
            for n in found:
                influence[n] += share * (values_PK[here[n], k] - cell) / len(found)
        if len(everyone) > 1:
            variance += len(everyone) / (len(everyone) - 1) * sum(part**2 for part in influence.values())
    return mean, math.sqrt(variance)


@pytest.mark.parametrize("seed", range(3))
def test_it_equals_a_slow_one(seed):
    values_PK, drawn = table(seed), draws(seed, 99)
    values_PK[:, 0] = np.nan_to_num(values_PK[:, 0], nan=0.7)  # so that every patient has a number
    mean, error = mean_and_error(values_PK, np.arange(len(site_P)))
    ratios = sorted((found - mean) / spread for found, spread in (mean_and_error(values_PK, row) for row in drawn))
    low, high = studentised_interval(cells_of(values_PK, site_P, "macro"), weights_of(drawn), 0.9)
    # The 5 % and 95 % order statistics of 99.
    assert (low, high) == pytest.approx((mean - ratios[94] * error, mean - ratios[4] * error))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), constant=st.floats(-1, 1), scale=st.floats(0.1, 10))
def test_it_shifts_and_scales_with_the_values(seed, constant, scale):
    values_PK, weights_PR = table(seed), weights_of(draws(seed, 99))
    low, high = studentised_interval(cells_of(values_PK, site_P, "macro"), weights_PR, 0.9)
    moved = studentised_interval(cells_of(scale * values_PK + constant, site_P, "macro"), weights_PR, 0.9)
    assert moved == pytest.approx((scale * low + constant, scale * high + constant), abs=1e-9)


@given(st.floats(-1, 1))
def test_equal_values_have_no_width(value):
    values_PK = np.full((len(site_P), 2), value)
    assert studentised_interval(cells_of(values_PK, site_P, "macro"), weights_of(draws(0, 20)), 0.95) == pytest.approx(
        (value, value)
    )


def test_a_patient_who_alone_differs_leaves_no_bound_on_that_side():
    # A resample without the patient says "no spread, and lower": nothing bounds the truth from above.
    values_PK = np.zeros((len(site_P), 1))
    values_PK[0] = 0.5
    low, high = studentised_interval(cells_of(values_PK, site_P, "macro"), weights_of(draws(0, 200)), 0.95)
    assert high == math.inf
    assert low < 0.5 / 6 / 3
