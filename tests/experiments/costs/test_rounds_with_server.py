"""Laws of the barrier."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.costs.rounds_with_server import barrier_round_s, barrier_rounds, final_download, rounds_alone
from experiments.costs.timeline import Timeline
from tests.experiments.costs.made_runs import any_durations, few_examples, made_durations

FIELDS = ("train_s_DS", "validate_s_DS", "download_s_DS", "upload_s_DS")


def barrier_end(durations, rounds, **silence):
    timeline = Timeline(durations.sites, 1)
    barrier_rounds(timeline, durations, rounds, **silence)
    return timeline


@few_examples
@given(any_durations(), st.integers(0, 6))
def test_a_barrier_is_the_sum_over_rounds_of_the_slowest_site(durations, rounds):
    slowest = sum(getattr(durations, field) for field in FIELDS).max()
    assert (barrier_end(durations, rounds).now_s_DS == rounds * slowest).all()
    assert barrier_round_s(durations) == slowest


def test_equal_sites_by_formula():
    durations = made_durations(*([seconds] * 3 for seconds in (40, 10, 5, 7)))
    timeline = barrier_end(durations, 8)
    final_download(timeline, durations)
    assert timeline.now_s_DS.tolist() == [[8 * (5 + 10 + 40 + 7) + 5] * 3]
    assert not any(bar["kind"] == "wait" for bar in timeline.gantt(0))


@few_examples
@given(any_durations(), st.sampled_from(FIELDS), st.integers(0, 3), st.integers(0, 100))
def test_nothing_that_takes_longer_makes_anybody_sooner(durations, field, site, more_s):
    slower_DS = getattr(durations, field).copy()
    slower_DS[0, site] += more_s
    slower = replace(durations, **{field: slower_DS})
    assert (barrier_end(slower, 4).now_s_DS >= barrier_end(durations, 4).now_s_DS).all()


@few_examples
@given(any_durations(), st.integers(1, 6))
def test_without_transfer_and_at_equal_sites_it_is_training_alone(durations, rounds):
    same = {field: np.full((1, 4), getattr(durations, field)[0, 0]) for field in FIELDS}
    free = replace(durations, **{**same, "download_s_DS": np.zeros((1, 4)), "upload_s_DS": np.zeros((1, 4))})
    alone = Timeline(free.sites, 1)
    rounds_alone(alone, free, rounds)
    assert (barrier_end(free, rounds).now_s_DS == alone.now_s_DS).all()


@few_examples
@given(any_durations(), st.integers(1, 6), st.floats(1, 5))
def test_a_silent_site_costs_the_cutoff_in_every_round(durations, rounds, factor):
    cutoff_s = factor * float(barrier_round_s(durations)[0])
    timeline = barrier_end(durations, rounds, silent=(2,), cutoff_s_D=cutoff_s)
    assert timeline.now_s_DS == pytest.approx(np.full((1, 4), rounds * cutoff_s))
    assert {bar["kind"] for bar in timeline.gantt(0) if bar["site"] == "site_c"} == {"wait"}
