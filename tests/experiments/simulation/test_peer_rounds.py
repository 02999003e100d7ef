"""Federations without a server in one process: what peers change, what they must not, and that real processes do the same."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments.federation.plan import change_plan, read_plan, set_rounds
from experiments.federation.traffic import traffic_of_exchanges
from experiments.simulation import simulate
from src.model.card import read_model
from tests.experiments.conftest import QUICK_GOSSIP, run_command
from tests.experiments.simulation.runs import (
    ROUNDS,
    SITES,
    assert_same_run,
    content,
    events,
    same_bits,
    simulate_with_stops,
    timeless,
    tiny_plan,
)

LEARNING = "collaborator.settings.learning"


@pytest.fixture(scope="module")
def simulated(phantoms, prepared, tmp_path_factory):
    """Simulates a scheme of the phantoms with a few settings changed; the same one only once."""
    root, made = tmp_path_factory.mktemp("simulated"), {}

    def run(scheme: str, *changes: str) -> Path:
        key = (scheme, *changes)
        if key not in made:
            output = root / str(len(made))
            plan = tiny_plan(scheme, *changes)
            made[key] = simulate(plan, f"{scheme}_phantom", phantoms, output, cache=prepared)
        return made[key]

    return run


def last(run: Path, site: str) -> dict[str, np.ndarray]:
    return read_model(run / "save" / site / "last.safetensors")[1]


def without_time(rows: list[dict], *names: str) -> list[dict]:
    return [{name: row.get(name) for name in names} for row in rows]


def test_mutual_with_weight_0_is_individual_bit_for_bit(simulated):
    alone = simulated("individual")
    no_completion = "collaborator.settings.completion.steps=0"
    gossip = simulated("gossip", f"{LEARNING}.rule=[mutual]", f"{LEARNING}.divergence_weight=0", no_completion)
    for site in SITES:
        assert same_bits(last(gossip, site), last(alone, site))
        assert [event["outcome"] for event in events(gossip, site, "exchange")] == ["received"] * (ROUNDS - 1)
        for phase, names in (("train", ("round", "loss", "gradient_norm")), ("validate", ("round", "mean_dice", "dice"))):
            found, expected = (without_time(events(run, site, phase), *names) for run in (gossip, alone))
            assert found == expected and len(found) == ROUNDS


def test_the_shipped_rule_uses_its_peers(simulated):
    alone, gossip = simulated("individual"), simulated("gossip")
    structures = read_plan("gossip_phantom")["data_loader"]["settings"]["structures"]
    for site in SITES:
        assert not same_bits(last(gossip, site), last(alone, site))
        # The warm-up is alone; from the first exchange on, nothing is as it was.
        found, expected = ([event["loss"] for event in events(run, site, "train")] for run in (gossip, alone))
        assert found[0] == expected[0] and all(one != other for one, other in zip(found[1:], expected[1:], strict=True))
        for event in events(gossip, site, "train")[1:]:
            ((_, verdict),) = event["peers"].items()
            assert verdict["judged"] and verdict["acceptable"]
            assert list(event["gates"]) == structures and all(0 <= gate <= 1 for gate in event["gates"].values())


@pytest.mark.parametrize("rule", ["[mutual, average]", "[distill, average]"])
def test_gates_stand_in_the_metrics_by_structure_and_round(simulated, rule):
    gossip = simulated("gossip", f"{LEARNING}.rule={rule}")
    structures = read_plan("gossip_phantom")["data_loader"]["settings"]["structures"]
    for site in SITES:
        warm_up, *with_peer = events(gossip, site, "train")
        assert "gates" not in warm_up and [event["round"] for event in with_peer] == [1, 2]
        for event in with_peer:
            assert list(event["gates"]) == structures and all(0 <= gate <= 1 for gate in event["gates"].values())
            assert list(event["divergence"]) == structures and event["divergence_weight"] > 0
            assert ("gates_of_peer" in event) is ("peer_loss" in event) is (rule == "[mutual, average]")


def test_a_chain_hands_one_model_through_the_sites(simulated):
    cyclic = simulated("cyclic")
    consensus = [read_model(cyclic / "save" / site / "consensus.safetensors") for site in SITES]
    # float16 on the wire rounds what the last site keeps in full.
    for name, values in last(cyclic, SITES[-1]).items():
        assert same_bits({name: consensus[0][1][name]}, {name: consensus[1][1][name]})
        assert np.allclose(consensus[0][1][name], values.astype(np.float16), atol=1e-6)
    peers = {site: [event["peer"] for event in events(cyclic, site, "exchange")] for site in SITES}
    assert set(peers["site_b"]) == {"site_a"} and set(peers["site_a"]) == {"site_b"}


def test_it_leaves_what_a_federation_leaves(simulated):
    gossip, alone = simulated("gossip"), simulated("individual")
    for run, models in ((gossip, ["best", "consensus", "last"]), (alone, ["best", "last"])):
        assert {entry.name for entry in run.iterdir()} >= {"config", "logs", "save", "metrics.jsonl", "summary.json"}
        assert not list(run.glob("tmp*"))
        for site in SITES:
            assert sorted(path.stem for path in (run / "save" / site).glob("*.safetensors")) == models
    assert json.loads((gossip / "config" / "run.json").read_text())["simulated"] is True
    consensus = [read_model(gossip / "save" / site / "consensus.safetensors")[1] for site in SITES]
    assert same_bits(*consensus)


def test_each_scheme_lists_its_models_by_arm(simulated):
    own = [("{}", site, which, f"save/{site}/{which}.safetensors") for site in SITES for which in ("last", "best")]
    shared = ("{}", None, "last", "save/site_a/consensus.safetensors")
    expected = {"individual": own, "gossip": [*own, ("{}_consensus", *shared[1:])], "cyclic": [shared]}
    for scheme, models in expected.items():
        run = simulated(scheme)
        found = content(run, "models.json")
        assert [tuple(model.values()) for model in found] == [(arm.format(scheme), *rest) for arm, *rest in models]
        assert all((run / model["path"]).is_file() for model in found)


def test_costs_are_what_the_sites_counted(simulated):
    alone, gossip = simulated("individual"), simulated("gossip")
    for run in (alone, gossip):
        cost = content(run, "cost.json")
        assert cost["model_bytes"] == sum(values.nbytes for values in last(run, "site_a").values())
        assert cost["local_finish"] is None and cost["wall_seconds"] > 0
        for site in SITES:
            mine = [event for event in timeless(run / "metrics.jsonl") if event["site"] == site]
            traffic = traffic_of_exchanges(mine)
            entry = cost["sites"][site]
            assert {name: entry[name] for name in vars(traffic)} == vars(traffic)
            pulled = [exchange["received_bytes"] for exchange in cost["exchanges"] if exchange["site"] == site]
            assert sum(pulled) == traffic.received_bytes
            assert entry["steps"] == 2 * ROUNDS and entry["cpu_seconds"] > 0
            assert entry["train_cases"] == {"site_a": 2, "site_b": 1}[site]
    assert content(gossip, "cost.json")["sites"]["site_a"]["sent_bytes"] > 0 == cost_of(alone)["sent_bytes"]


def test_steps_of_a_co_trained_copy_are_counted_apart(simulated):
    mutual = simulated("gossip", f"{LEARNING}.rule=[mutual, average]")
    entry = cost_of(mutual)
    # Alone in the warm-up, two networks after it.
    assert (entry["steps"], entry["network_steps"]) == (2 * ROUNDS, 2 * (2 * ROUNDS - 1))
    assert cost_of(simulated("individual"))["network_steps"] == 2 * ROUNDS


def cost_of(run: Path, site: str = "site_a") -> dict:
    return content(run, "cost.json")["sites"][site]


@pytest.mark.parametrize("scheme", ["gossip", pytest.param("cyclic", marks=pytest.mark.slow)])
def test_a_run_that_is_stopped_again_and_again_ends_the_same(simulated, phantoms, prepared, tmp_path, scheme):
    undisturbed = simulated(scheme)
    run = tmp_path / "run"
    stops = simulate_with_stops(tiny_plan(scheme), f"{scheme}_phantom", phantoms, run, cache=prepared)
    assert stops >= 3
    assert_same_run(run, undisturbed)
    for site in SITES:
        seconds = [json.loads(line)["cpu_seconds"] for line in (run / "logs" / site / "metrics.jsonl").read_text().splitlines()]
        assert cost_of(run, site)["cpu_seconds"] == pytest.approx(sum(seconds), abs=1e-3)


@pytest.mark.slow
def test_real_processes_come_to_the_same_bits(phantoms, tmp_path, monkeypatch):
    """In lock-step, where nobody's pace matters; one thread, as sums depend on how they are split."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    lock_step = "collaborator.settings.exchange.lock_step=true"
    processes = run_command(phantoms, tmp_path / "processes", *QUICK_GOSSIP, "--set", lock_step)
    assert processes.exit_code == 0, processes.output
    plan = read_plan("gossip_phantom")
    set_rounds(plan, ROUNDS)
    change_plan(plan, [change for change in (*QUICK_GOSSIP, lock_step) if "=" in change])
    simulation = simulate(plan, "gossip_phantom", phantoms, tmp_path / "simulation")
    for site in SITES:
        for model in ("best", "last", "consensus"):
            one, other = (read_model(run / "save" / site / f"{model}.safetensors")[1] for run in (processes.folder, simulation))
            assert same_bits(one, other), (site, model)
