"""Plans with an aggregator in one process: what their parts must not change, the local finish, and going on after a stop.

That real processes come to the same numbers is tested where those run, in ``federation/test_run.py``.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.federation.template import REPOSITORY
from experiments.simulation import simulate
from experiments.simulation.local_finish import plan_of_finish
from src.exchange.checkpoint import Checkpoints
from src.model.card import read_card
from tests.experiments.simulation.runs import (
    ROUNDS,
    SITES,
    TINY,
    assert_same_model,
    assert_same_run,
    content,
    events,
    same_bits,
    simulate_with_stops,
    tensors,
    timeless,
    tiny_plan,
)

MU = "task_runner.settings.proximal_mu"
RESET = "collaborator.settings.opt_treatment=RESET"


@pytest.fixture(scope="module")
def folder(phantoms, tmp_path_factory) -> Path:
    """Beside the runs: one site's data alone, once under its name and once as if it were pooled."""
    root = tmp_path_factory.mktemp("server")
    for name in ("site_a", "pooled"):
        (root / f"data_{name}").mkdir()
        (root / f"data_{name}" / name).symlink_to(phantoms / "site_a")
    return root


@pytest.fixture(scope="module")
def simulated(phantoms, prepared, folder):
    """Simulates FedAvg or FedProx with a few settings changed; the same one only once."""
    made = {}

    def run(scheme: str, *changes: str, data: Path = phantoms, **settings) -> Path:
        key = (scheme, *changes, data, *settings.items())
        if key not in made:
            plan, name = tiny_plan(scheme, *changes), f"{scheme}_phantom"
            made[key] = simulate(plan, name, data, folder / str(len(made)), cache=prepared, **settings)
        return made[key]

    return run


def last(run: Path, *place: str) -> dict:
    return tensors(run.joinpath("save", *place, "last.safetensors"))


def test_sites_and_aggregator_end_with_one_model(simulated):
    run = simulated("fedavg")
    assert all(same_bits(last(run, site), last(run, "aggregator")) for site in SITES)
    assert [tuple(model.values()) for model in content(run, "models.json")] == [
        ("fedavg", None, "last", "save/aggregator/last.safetensors"),
        ("fedavg", None, "best", "save/aggregator/best.safetensors"),
    ]
    best = [event["round"] for event in events(run, "aggregator", "aggregate") if event["best"]]
    assert read_card(run / "save" / "aggregator" / "best.safetensors").round == best[-1]


def test_fedprox_without_its_pull_is_fedavg(simulated, folder):
    fedavg = simulated("fedavg", data=folder / "data_site_a", local_finish_rounds=2)
    assert same_bits(
        last(simulated("fedprox", f"{MU}=0.0", data=folder / "data_site_a"), "aggregator"), last(fedavg, "aggregator")
    )


def test_a_model_goes_down_once_more_than_up(simulated):
    run = simulated("fedavg")
    cost = content(run, "cost.json")
    for site in SITES:
        entry = cost["sites"][site]
        fetched = [exchange for exchange in cost["exchanges"] if exchange["site"] == site]
        assert [(exchange["round"], exchange["peer"]) for exchange in fetched] == [
            (number, None) for number in range(ROUNDS + 1)
        ]
        assert entry["received_bytes"] == (ROUNDS + 1) * cost["model_bytes"] == sum(e["received_bytes"] for e in fetched)
        # Names, tags and metrics come on top; of a network as tiny as this they are a good part.
        assert ROUNDS * cost["model_bytes"] < entry["sent_bytes"]
        assert entry["steps"] == entry["network_steps"] == 2 * ROUNDS and entry["cpu_seconds"] > 0


def test_a_local_finish_leaves_the_shared_rounds_as_they_are(simulated):
    without, run = simulated("fedavg"), simulated("fedavg", local_finish_rounds=2)
    for name in ("last", "best"):
        path = f"save/aggregator/{name}.safetensors"
        assert_same_model(run / path, without / path)
    assert timeless(run / "metrics.jsonl") == timeless(without / "metrics.jsonl")
    assert not same_bits(last(run, "fedavg_local", "site_a"), last(run, "fedavg_local", "site_b"))
    found = [(row["site"], row["round"], row["phase"]) for row in timeless(run / "local_finish.jsonl")]
    assert found == [(site, *what) for site in SITES for what in ((1, "train"), (2, "validate"), (2, "train"), (3, "validate"))]
    finish = content(run, "cost.json")["local_finish"]
    assert (finish["rounds"], finish["steps"]) == (2, dict.fromkeys(SITES, 4))
    assert all(finish["cpu_seconds"][site] > 0 for site in SITES)
    arms = [(model["arm"], model["model_site"], model["which"]) for model in content(run, "models.json")]
    assert arms[2:] == [("fedavg_local", site, which) for site in SITES for which in ("last", "best")]


def test_the_finish_of_a_site_that_was_alone_all_the_time_is_the_run_itself(simulated, folder):
    """Weights, moments, batches and learning rate go on: with one site the average is the site."""
    run = simulated("fedavg", data=folder / "data_site_a", local_finish_rounds=2)
    assert same_bits(last(run, "fedavg_local", "site_a"), last(run, "site_a"))
    losses = [[row["loss"] for row in timeless(run / name) if row["phase"] == "train" and row["site"] == "site_a"] for name in
              ("metrics.jsonl", "local_finish.jsonl")]  # fmt: skip
    assert losses[1] == losses[0][1:]


def test_the_finish_of_pooled_data_begins_with_a_fresh_optimiser(simulated, folder):
    pooled = {"data": folder / "data_pooled", "finish_data": folder / "data_site_a", "local_finish_rounds": 1}
    fresh, kept = simulated("fedavg", RESET, **pooled), simulated("fedavg", **pooled)
    # The pooled training that begins each round afresh does, on the same cases, what such a finish does.
    assert same_bits(last(fresh, "fedavg_local", "site_a"), last(fresh, "pooled"))
    assert not same_bits(last(kept, "fedavg_local", "site_a"), last(kept, "pooled"))


def test_the_plan_of_a_finish_has_the_steps_of_one_site_and_no_pull():
    plan = tiny_plan("fedprox")
    settings = plan_of_finish(plan, 1)["task_runner"]["settings"]
    assert (settings["steps_per_round"], settings["proximal_mu"]) == (1, 0.0)
    assert plan_of_finish(plan, None)["task_runner"]["settings"]["steps_per_round"] == 2
    assert plan == tiny_plan("fedprox")


def test_fedprox_finishes_without_its_pull(simulated, folder):
    """From one shared model; both take the same first step, and the pull begins with the second."""
    run = simulated("fedprox", f"{MU}=100.0", data=folder / "data_site_a", local_finish_rounds=ROUNDS - 1)
    alone = next(row for row in timeless(run / "local_finish.jsonl") if row["phase"] == "train")
    pulled = events(run, "site_a", "train")[1]
    assert alone["round"] == pulled["round"] == 1
    assert alone["loss"] < pulled["loss"]


def test_a_run_that_is_stopped_again_and_again_ends_the_same(simulated, phantoms, prepared, tmp_path):
    undisturbed = simulated("fedavg", local_finish_rounds=2)
    run, spent = tmp_path / "run", []

    def note() -> None:
        found = Checkpoints(run / "state" / "rounds").load()
        spent.append(round(found[1]["cpu_seconds"]["site_b"], 3) if found else 0.0)

    plan, settings = tiny_plan("fedavg"), {"cache": prepared, "local_finish_rounds": 2}
    assert simulate_with_stops(plan, "fedavg_phantom", phantoms, run, at_stop=note, **settings) >= 3
    assert_same_run(run, undisturbed)
    spent.append(content(run, "cost.json")["sites"]["site_b"]["cpu_seconds"])
    assert spent == sorted(spent) and 0 < spent[1] < spent[-1]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["fedavg", "gossip"])
def test_a_killed_run_ends_the_same(phantoms, tmp_path, scheme):
    plan, name = tiny_plan(scheme, "task_runner.settings.steps_per_round=20"), f"{scheme}_phantom"
    undisturbed = simulate(plan, name, phantoms, tmp_path / "undisturbed", cache=tmp_path / "cache")
    run, log = tmp_path / "run", tmp_path / "run" / "logs" / "site_b" / "metrics.jsonl"
    changes = [*TINY, "task_runner.settings.steps_per_round=20"]
    if scheme == "gossip":
        changes.append("collaborator.settings.exchange.local_rounds_at_end=0")
    command = [sys.executable, "-m", "experiments.simulation", "--plan", name, "--data", str(phantoms), "--output", str(run)]
    command += ["--rounds", str(ROUNDS), "--cache", str(tmp_path / "cache"), "--resume"]
    command += [part for change in changes for part in ("--set", change)]
    for seen in ('"round": 0', '"round": 1', '"round": 2'):
        process = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, "OMP_NUM_THREADS": "1"})
        while not (log.is_file() and seen in log.read_text()):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (run / "done.json").exists()
    simulate(plan, name, phantoms, run, cache=tmp_path / "cache", resume=True)
    assert_same_run(run, undisturbed)
