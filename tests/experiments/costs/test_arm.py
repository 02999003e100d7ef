"""What an arm needed of its run's costs."""

from dataclasses import replace

import pytest

from experiments.costs.arm import arms_of
from tests.experiments.costs.made_runs import MODEL_BYTES, SITES, made_run, pull


def test_individual_and_cyclic_leave_one_arm():
    assert list(arms_of(made_run("individual"))) == ["individual"]
    assert list(arms_of(made_run("cyclic"))) == ["cyclic"]


def test_a_consensus_costs_what_its_run_cost():
    arms = arms_of(made_run("gossip", pulls=(pull(2, "site_a", "site_b"), pull(8, "site_b", "site_a"))))
    assert list(arms) == ["gossip", "gossip_consensus"] and arms["gossip"] == arms["gossip_consensus"]


def test_what_was_sent_in_the_closing_is_what_no_exchange_took():
    closing = [pull(8, site, peer, 500) for site in SITES for peer in SITES if site != peer]
    arm = arms_of(made_run("gossip", pulls=(pull(2, "site_a", "site_b"), pull(4, "site_c", "site_b", 700), *closing)))["gossip"]
    assert {site: cost.closing_sent_bytes for site, cost in arm.items()} == dict.fromkeys(SITES, 1000)
    assert arm["site_b"].sent_bytes == 1700 + 1000
    assert sum(cost.closing_sent_bytes for cost in arm.values()) == sum(cost.closing_received_bytes for cost in arm.values())


def test_a_local_arm_exchanges_only_before_its_finish():
    run = made_run("fedavg", rounds=8, local_rounds=2)
    whole, local = (arms_of(run)[name]["site_a"] for name in ("fedavg", "fedavg_local"))
    assert (whole.sent_bytes, whole.received_bytes) == (8 * MODEL_BYTES, 9 * MODEL_BYTES)
    # Six rounds up; six down, and the model that the finish begins with.
    assert (local.sent_bytes, local.received_bytes) == (6 * MODEL_BYTES, 7 * MODEL_BYTES)


def test_a_local_arm_computes_the_shared_rounds_and_its_finish():
    local = arms_of(made_run("fedavg", rounds=8, local_rounds=2))["fedavg_local"]["site_a"]
    assert local.cpu_seconds == pytest.approx(100 * 6 / 8 + 20)
    assert (local.local_finish_cpu_seconds, local.steps) == (20.0, 80)


def test_pooled_data_move_no_models():
    pooled = arms_of(made_run("pooled", sites=("pooled",)))["pooled"]["pooled"]
    assert pooled.sent_bytes is pooled.received_bytes is None and pooled.cpu_seconds == 100.0


def test_sites_that_finish_what_pooled_data_began_are_counted_beside_it():
    run = made_run("pooled", sites=("pooled",), local_rounds=2, local_finish_cpu_seconds={"site_a": 5.0, "site_b": 7.0})
    local = arms_of(run)["pooled_local"]
    assert {site: cost.cpu_seconds for site, cost in local.items()} == {"pooled": 75.0, "site_a": 5.0, "site_b": 7.0}
    assert {site: cost.steps for site, cost in local.items()} == {"pooled": 60, "site_a": None, "site_b": None}
    counted = arms_of(replace(run, local_finish_steps={"site_a": 4, "site_b": 6}))["pooled_local"]
    assert {site: cost.steps for site, cost in counted.items()} == {"pooled": 60, "site_a": 4, "site_b": 6}
