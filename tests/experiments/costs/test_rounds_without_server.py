"""Laws of gossip and chain, and one that is not a law."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.costs.rounds_with_server import barrier_rounds, rounds_alone
from experiments.costs.rounds_without_server import Silence, chain_rounds, closing_pulls, gossip_rounds, staleness
from experiments.costs.timeline import Timeline
from tests.experiments.costs.made_runs import any_durations, any_pulls, few_examples, made_durations

FIELDS = ("train_s_DS", "validate_s_DS", "download_s_DS", "upload_s_DS")
ROUNDS = 5


def gossip(durations, pulls, rounds=ROUNDS, silence=None):
    timeline = Timeline(durations.sites, 1)
    return timeline, gossip_rounds(timeline, durations, rounds, pulls, silence)


def fedavg_end_s(durations, rounds=ROUNDS):
    timeline = Timeline(durations.sites, 1)
    barrier_rounds(timeline, durations, rounds)
    return timeline.now_s_DS.max()


@few_examples
@given(any_durations())
def test_without_pulls_it_is_training_alone(durations):
    alone = Timeline(durations.sites, 1)
    rounds_alone(alone, durations, ROUNDS)
    assert (gossip(durations, {})[0].now_s_DS == alone.now_s_DS).all()


@few_examples
@given(any_durations(), any_pulls())
def test_free_lines_make_it_training_alone(durations, pulls):
    free = replace(durations, download_s_DS=np.zeros((1, 4)), upload_s_DS=np.zeros((1, 4)))
    assert (gossip(free, pulls)[0].now_s_DS == gossip(durations, {})[0].now_s_DS).all()


def test_equal_sites_by_formula():
    durations = made_durations(*([seconds] * 4 for seconds in (40, 10, 5, 7)))
    pulls = {(number, site): [site ^ 1] for number in (1, 3) for site in range(4)}
    timeline, happened = gossip(durations, pulls)
    assert timeline.now_s_DS.tolist() == [[5 * (40 + 10) + 2 * 7] * 4]
    assert [float(values_D[0]) for values_D in staleness(happened)] == [0.0, 0.0]


@few_examples
@given(any_durations(), any_pulls(), st.sampled_from(FIELDS), st.integers(0, 3), st.integers(0, 100))
def test_nothing_that_takes_longer_makes_anybody_sooner(durations, pulls, field, site, more_s):
    slower_DS = getattr(durations, field).copy()
    slower_DS[0, site] += more_s
    slower = replace(durations, **{field: slower_DS})
    assert (gossip(slower, pulls)[0].now_s_DS >= gossip(durations, pulls)[0].now_s_DS).all()


@few_examples
@given(any_durations(), any_pulls(), st.integers(0, 3))
def test_a_site_is_slowed_by_nobodys_training(durations, pulls, slow):
    slower_DS = durations.train_s_DS.copy()
    slower_DS[0, slow] += 1000
    before, after = (gossip(changed, pulls)[0].now_s_DS[0] for changed in (durations, replace(durations, train_s_DS=slower_DS)))
    assert (np.delete(before, slow) == np.delete(after, slow)).all()


def test_gossip_can_be_slower_than_fedavg_with_as_many_exchanges():
    """One site trains slowly and its peer uploads slowly: FedAvg lets the two overlap, a pull comes before the training."""
    durations = made_durations([100, 1], [1, 1], [1, 1], [1, 100])
    pulls = {(number, site): [1 - site] for number in range(ROUNDS) for site in range(2)}
    assert gossip(durations, pulls)[0].now_s_DS.max() == 5 * 201 > fedavg_end_s(durations) == 5 * 103


@few_examples
@given(any_durations(), any_pulls())
def test_but_never_twice_as_slow(durations, pulls):
    """A round's computing and a round's longest transfer are each at most a round of FedAvg."""
    assert gossip(durations, pulls)[0].now_s_DS.max() <= 2 * fedavg_end_s(durations)


@few_examples
@given(any_durations(), any_pulls())
def test_and_never_slower_where_the_slow_are_slow_in_everything(durations, pulls):
    ordered = replace(durations, **{field: np.sort(getattr(durations, field), axis=1) for field in FIELDS})
    assert gossip(ordered, pulls)[0].now_s_DS.max() <= fedavg_end_s(ordered)


def test_a_pull_brings_what_the_peer_has_by_then():
    # Rounds of 10 s and of 35 s, free lines. site_a asks before its rounds 1, 2, 3, 4, at 10, 20, 30 and 40 s.
    durations = made_durations([10, 35], [0, 0], [0, 0], [0, 0])
    happened = gossip(durations, {(number, 0): [1] for number in range(1, 5)})[1]
    behind_D, repeats_D = staleness(happened)
    # Nothing is there before 35 s; at 40 s site_b has done one round of site_a's four.
    assert (behind_D[0], repeats_D[0]) == (3.0, 0.75)


def test_a_fast_peer_is_ahead():
    happened = gossip(made_durations([10, 35], [0, 0], [0, 0], [0, 0]), {(1, 1): [0]})[1]
    assert staleness(happened)[0][0] == 1 - 3


def test_without_pulls_there_is_no_staleness():
    behind_D, repeats_D = staleness(gossip(made_durations([1], [1], [1], [1]), {})[1])
    assert np.isnan(behind_D).all() and np.isnan(repeats_D).all()


def test_a_silent_peer_costs_a_timeout_and_the_silent_site_stops():
    durations = made_durations([10, 10], [0, 0], [6, 6], [4, 4])
    pulls = {(number, 0): [1] for number in range(4)}
    timeline, happened = gossip(durations, pulls, rounds=4, silence=Silence(site=1, after_round=2, connect_timeout_s=3))
    # Asked at 0, 16, 32 and 45 s; silent from 20 s on.
    assert timeline.now_s_DS.tolist() == [[4 * 10 + 6 + 6 + 3 + 3, 20]]
    assert np.isinf(happened.done_s_DSR[0, 1, 2:]).all() and np.isfinite(happened.done_s_DSR[0, 1, :2]).all()


@few_examples
@given(any_durations(num_sites=3))
def test_in_a_chain_one_site_works_at_a_time(durations):
    timeline, pulls = Timeline(durations.sites, 1), {}
    for number in range(ROUNDS):
        for site in range(3):
            if (number, site) != (0, 0):
                pulls[number, site] = [(site - 1) % 3]
    chain_rounds(timeline, durations, ROUNDS, pulls)
    lines = [max(durations.download_s_DS[0, site], durations.upload_s_DS[0, site - 1]) for site in range(3)]
    computing = durations.train_s_DS.sum() + durations.validate_s_DS.sum()
    assert timeline.now_s_DS.max() == ROUNDS * (computing + sum(lines)) - lines[0]
    busy = sorted((bar["start_s"], bar["end_s"]) for bar in timeline.gantt(0) if bar["kind"] != "wait")
    assert all(before[1] <= after[0] for before, after in pairwise(busy))


@few_examples
@given(any_durations(), any_pulls(), st.integers(1, ROUNDS))
def test_the_closing_ends_as_if_peers_were_pulled_in_the_order_they_are_ready(durations, pulls, shared_rounds):
    timeline, happened = gossip(durations, pulls)
    began_S, final_s_DS = timeline.now_s_DS[0].copy(), happened.done_s_DSR[:, :, shared_rounds - 1]
    closing_pulls(timeline, durations, final_s_DS)
    for site in range(4):
        now_s = began_S[site]
        for ready_s, peer in sorted((final_s_DS[0, peer], peer) for peer in range(4) if peer != site):
            now_s = max(now_s, ready_s) + max(durations.download_s_DS[0, site], durations.upload_s_DS[0, peer])
        assert timeline.now_s_DS[0, site] == pytest.approx(now_s)
