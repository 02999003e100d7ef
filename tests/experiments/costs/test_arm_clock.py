"""Each arm's clock, by formula where all hospitals are the same."""

import pytest

from experiments.costs.arm_clock import clocks_of
from tests.experiments.costs.made_runs import SITES, made_durations, made_run, pull

TRAIN, VALIDATE, DOWNLOAD, UPLOAD, ROUNDS = 40, 10, 5, 7, 8
EQUAL = made_durations(*([seconds] * 3 for seconds in (TRAIN, VALIDATE, DOWNLOAD, UPLOAD)))
ROUND = DOWNLOAD + VALIDATE + TRAIN + UPLOAD


def ready_s(run):
    return {arm: clock.ready_s_DS.tolist() for arm, clock in clocks_of(run, EQUAL).items()}


def test_individual():
    assert ready_s(made_run("individual")) == {"individual": [[ROUNDS * (TRAIN + VALIDATE)] * 3]}


@pytest.mark.parametrize("kind", ["fedavg", "fedprox"])
def test_with_an_aggregator_and_with_a_local_finish(kind):
    found = ready_s(made_run(kind, local_rounds=2))
    assert found[kind] == [[ROUNDS * ROUND + DOWNLOAD] * 3]
    assert found[f"{kind}_local"] == [[6 * ROUND + DOWNLOAD + 2 * (TRAIN + VALIDATE)] * 3]


def test_gossip_and_its_consensus():
    in_rounds = [pull(number, site, SITES[place - 1]) for number in (2, 4) for place, site in enumerate(SITES)]
    closing = [pull(ROUNDS, site, peer) for site in SITES for peer in SITES if site != peer]
    found = ready_s(made_run("gossip", exchange_rounds=(2, 4), pulls=(*in_rounds, *closing), local_rounds_at_end=2))
    rounds_s = ROUNDS * (TRAIN + VALIDATE) + 2 * UPLOAD
    assert found["gossip"] == [[rounds_s] * 3]
    # All final models have been there for two rounds.
    assert found["gossip_consensus"] == [[rounds_s + 2 * UPLOAD] * 3]


def test_a_chains_model_is_there_after_all_sites_one_by_one_and_the_closing():
    pulls = [pull(number, site, SITES[place - 1]) for number in range(ROUNDS) for place, site in enumerate(SITES)][1:]
    found = clocks_of(made_run("cyclic", pulls=pulls), EQUAL)["cyclic"]
    in_turn_s = ROUNDS * 3 * (TRAIN + VALIDATE) + len(pulls) * UPLOAD
    assert found.ready_s_DS.max() == in_turn_s + 2 * UPLOAD


def test_no_hospital_trains_pooled_data():
    run = made_run("pooled", sites=("pooled",), local_rounds=2, local_finish_cpu_seconds={"site_a": 1.0})
    assert clocks_of(run, None) == {"pooled": None, "pooled_local": None}
