"""Costs of runs that really trained: every model that was sent was received by somebody."""

from pathlib import Path

import pytest
import yaml

from experiments.costs import cost_table, wall_clock
from experiments.federation.plan import change_plan, read_plan, set_rounds
from experiments.simulation.run import simulate

TINY = [
    "task_runner.settings.steps_per_round=1",
    "task_runner.settings.network.arguments.channels=[4, 8]",
    "task_runner.settings.network.arguments.strides=[2]",
    "task_runner.settings.network.arguments.num_res_units=1",
    "data_loader.settings.patch_voxels=[32, 32, 32]",
]
ROUNDS = 3
SCHEMES = {"fedavg": [], "gossip": ["collaborator.settings.exchange.local_rounds_at_end=0"]}


@pytest.fixture(scope="module")
def study(phantoms, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    content = {"schemes": dict.fromkeys(SCHEMES), "local_finish_rounds": 1}
    (folder / "study.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    for scheme, changes in SCHEMES.items():
        plan = read_plan(f"{scheme}_phantom")
        set_rounds(plan, ROUNDS)
        change_plan(plan, [*TINY, *changes])
        finish_rounds = 1 if scheme == "fedavg" else 0
        output = folder / "train" / scheme / "seed_0"
        simulate(plan, f"{scheme}_phantom", phantoms, output, cache=folder / "cache", local_finish_rounds=finish_rounds)
    return folder


@pytest.mark.slow
def test_the_costs_of_a_real_run_add_up(study):
    rows = {row["arm"]: row for row in cost_table(study)}
    assert list(rows) == ["fedavg", "fedavg_local", "gossip", "gossip_consensus"]
    fedavg, local, gossip = (rows[arm]["total"] for arm in ("fedavg", "fedavg_local", "gossip"))
    assert fedavg["received_bytes"] == 2 * (ROUNDS + 1) * rows["fedavg"]["model_bytes"]
    assert local["received_bytes"] == 2 * ROUNDS * rows["fedavg"]["model_bytes"] and local["local_finish_cpu_seconds"] > 0
    assert gossip["sent_bytes"] == pytest.approx(gossip["received_bytes"], rel=0.01)
    assert gossip["closing_sent_bytes"] == pytest.approx(gossip["closing_received_bytes"], rel=0.01) and gossip["sent_bytes"]
    assert fedavg["steps"] == local["steps"] == gossip["steps"] == 2 * ROUNDS


@pytest.mark.slow
def test_a_real_run_has_a_wall_clock(study):
    arms = wall_clock(study, num_draws=5)["cases"]["independent"]
    assert all(entry["last_site_s"]["median"] > 0 for entry in arms.values())
