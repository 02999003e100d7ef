"""Draws of hospitals, and what a round takes at them."""

import numpy as np
import pytest

from experiments.costs.hospitals import CASES, INDEPENDENT, ONE_SLOW, RANGES_S, RANK_CORRELATED, draw_hospitals, durations_of
from tests.experiments.costs.made_runs import SITES, made_run, site_cost

FIELDS = [f"{name}_DS" for name in RANGES_S]


def draw(case, num_draws=500, seed=0):
    return draw_hospitals(SITES, case, slow_site="site_b", num_draws=num_draws, seed=seed)


@pytest.mark.parametrize("case", CASES)
def test_speeds_are_within_what_was_measured(case):
    hospitals = draw(case)
    for name, (low, high) in RANGES_S.items():
        values_DS = getattr(hospitals, f"{name}_DS")
        assert values_DS.min() >= low * (1 - 1e-12) and values_DS.max() <= high * (1 + 1e-12)


@pytest.mark.parametrize("case", [INDEPENDENT, RANK_CORRELATED])
def test_speeds_are_log_uniform(case):
    hospitals = draw(case, num_draws=2000)
    for name, (low, high) in RANGES_S.items():
        places = np.log(getattr(hospitals, f"{name}_DS") / low) / np.log(high / low)
        assert places.mean() == pytest.approx(0.5, abs=0.02) and places.std() == pytest.approx(12**-0.5, abs=0.02)


def test_rank_correlated_hospitals_are_slow_in_all_or_nothing():
    orders = [np.argsort(getattr(draw(RANK_CORRELATED), field), axis=1) for field in FIELDS]
    assert all((order == orders[0]).all() for order in orders)


def test_independent_hospitals_are_not():
    places = np.stack([np.log(getattr(draw(INDEPENDENT), field)).ravel() for field in FIELDS])
    assert np.abs(np.corrcoef(places) - np.eye(4)).max() < 0.1


def test_one_slow_is_one_draw_at_the_ends_of_the_ranges():
    hospitals = draw(ONE_SLOW)
    for name, (low, high) in RANGES_S.items():
        assert getattr(hospitals, f"{name}_DS") == pytest.approx(np.array([[low, high, low]]))


def test_the_seed_decides():
    first, again, other = draw(INDEPENDENT, seed=1), draw(INDEPENDENT, seed=1), draw(INDEPENDENT, seed=2)
    assert (first.upload_s_DS == again.upload_s_DS).all() and (first.upload_s_DS != other.upload_s_DS).any()


def test_a_round_is_seconds_per_patient_times_patients_and_networks():
    run = made_run("gossip", sites=("site_c", "site_a"), valid_cases={"site_a": 3, "site_c": 5})
    run.sites["site_a"] = site_cost(train_cases=20, steps=80, network_steps=120)
    hospitals = draw(INDEPENDENT)
    durations = durations_of(run, hospitals)
    assert durations.sites == ("site_c", "site_a")
    assert durations.train_s_DS[:, 0] == pytest.approx(hospitals.train_s_per_patient_DS[:, 2] * 10)
    assert durations.train_s_DS[:, 1] == pytest.approx(hospitals.train_s_per_patient_DS[:, 0] * 20 * 1.5)
    assert durations.validate_s_DS[:, 1] == pytest.approx(hospitals.validate_s_per_patient_DS[:, 0] * 3)
    assert (durations.download_s_DS == hospitals.download_s_DS[:, [2, 0]]).all()
