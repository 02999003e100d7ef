from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.federation.plan import change_plan, read_plan
from experiments.scoring.plan_digest import plan_digest

PEERS, SERVER = read_plan("gossip_head_neck"), read_plan("fedavg_head_neck")


def changed(plan: dict, *changes: str) -> dict:
    other = deepcopy(plan)
    change_plan(other, changes)
    return other


@given(seed=st.integers(0, 2**31), port=st.integers(1024, 65535))
def test_seeds_and_ports_are_not_part_of_it(seed, port):
    seeds = [f"data_loader.settings.random_seed={seed}", f"task_runner.settings.random_seed={seed}"]
    assert plan_digest(changed(PEERS, *seeds, f"collaborator.settings.exchange.seed={seed}")) == plan_digest(PEERS)
    assert plan_digest(changed(SERVER, *seeds, f"network.settings.agg_port={port}")) == plan_digest(SERVER)


@pytest.mark.parametrize(
    "change",
    [
        "task_runner.settings.optimisation.learning_rate=0.0031",
        "task_runner.settings.steps_per_round=51",
        "collaborator.settings.exchange.exchange_every=1",
        "collaborator.settings.learning.rule=[mutual, average]",
        "collaborator.settings.roster=[site_a, site_b]",
        "data_loader.settings.patch_voxels=[64, 64, 64]",
    ],
)
def test_everything_else_is(change):
    assert plan_digest(changed(PEERS, change)) != plan_digest(PEERS)


def test_the_order_of_keys_is_not_and_the_plan_stays_as_it_was():
    before = deepcopy(PEERS)
    assert plan_digest(dict(reversed(PEERS.items()))) == plan_digest(PEERS)
    assert before == PEERS and plan_digest(PEERS) != plan_digest(SERVER)
