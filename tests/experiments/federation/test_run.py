"""Whole federations through real fx processes: what they leave, that they repeat, and how they end."""

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
import yaml
from openfl.pipelines import NoCompressionPipeline
from openfl.protocols.base_pb2 import ModelProto
from openfl.protocols.utils import deconstruct_model_proto

from experiments.federation.plan import change_plan, read_plan, set_rounds
from experiments.federation.run import FederationSettings, run_federation
from experiments.simulation import simulate
from src.data.dataset import Dataset
from src.errors import ModelCardError, PlanSettingError
from src.model.card import read_model
from tests.experiments.conftest import QUICK, run_command

SITES = ("site_a", "site_b")


def events(run) -> list[dict]:
    return [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]


def test_run_folder_holds_everything(finished):
    for expected in (
        "config/plan.yaml",
        "config/run.json",
        "logs/aggregator.log",
        "metrics.jsonl",
        "summary.txt",
        "summary.json",
    ):
        assert (finished.folder / expected).is_file(), expected
    for site in SITES:
        assert (finished.folder / "logs" / f"{site}.log").is_file()
        for name in ("best", "last"):
            card, tensors = read_model(finished.folder / "save" / site / f"{name}.safetensors")
            assert card.site == site
            assert all(np.isfinite(values).all() for values in tensors.values())
    assert (finished.folder / "save" / "aggregator" / "last.pbuf").is_file()
    facts = json.loads((finished.folder / "config" / "run.json").read_text())
    assert facts["sites"]["site_a"]["cases"] == {"train": 2, "valid": 1, "test": 1}
    assert facts["versions"]["openfl"].startswith("1.9")


def test_every_round_was_trained_and_the_final_model_validated_everywhere(finished):
    for site in SITES:
        mine = [(event["round"], event["phase"]) for event in events(finished) if event["site"] == site]
        assert sorted(mine) == [(0, "train"), (0, "validate"), (1, "train"), (1, "validate"), (2, "validate")]
    assert "round 2  validate  mean Dice: site_a" in finished.output


def test_sites_end_with_one_model(finished):
    _, first = read_model(finished.folder / "save" / "site_a" / "last.safetensors")
    _, second = read_model(finished.folder / "save" / "site_b" / "last.safetensors")
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_another_scheme_starts_from_given_weights(finished, phantoms, tmp_path):
    given = finished.folder / "save" / "site_a" / "last.safetensors"
    standing_still = ("--set", "task_runner.settings.optimisation.learning_rate=1.0e-8")
    run = run_command(
        phantoms, tmp_path / "warm", *QUICK, *standing_still, "--plan", "fedprox_phantom", "--initial-weights", str(given)
    )
    assert run.exit_code == 0, run.output
    before, after = read_model(given)[1], read_model(run.folder / "save" / "site_b" / "last.safetensors")[1]
    assert all(np.allclose(before[name], after[name], atol=1e-5) for name in before)


def test_a_simulation_comes_to_the_same_numbers(finished, phantoms, tmp_path):
    """Weights, losses, Dice and bytes of the real processes; here, since this run of them is there already."""
    plan = read_plan("fedavg_phantom")
    set_rounds(plan, 2)
    change_plan(plan, QUICK[3:])
    threads = torch.get_num_threads()
    torch.set_num_threads(json.loads((finished.folder / "config" / "run.json").read_text())["threads_per_site"])
    try:
        simulated = simulate(plan, "fedavg_phantom", phantoms, tmp_path / "run")
    finally:
        torch.set_num_threads(threads)
    for path in (f"{site}/{which}.safetensors" for site in SITES for which in ("last", "best")):
        (card, tensors), (expected_card, expected) = (read_model(run / "save" / path) for run in (simulated, finished.folder))
        assert tensors.keys() == expected.keys()
        assert all(np.array_equal(tensors[name], expected[name]) for name in expected), path
        assert replace(card, federation="") == replace(expected_card, federation=""), path
    for which in ("last", "best"):
        model = ModelProto.FromString((finished.folder / "save" / "aggregator" / f"{which}.pbuf").read_bytes())
        expected, _ = deconstruct_model_proto(model, NoCompressionPipeline())
        tensors = read_model(simulated / "save" / "aggregator" / f"{which}.safetensors")[1]
        assert all(np.array_equal(tensors[name], expected[name]) for name in expected), which

    def timeless(folder):
        found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        return [{key: value for key, value in event.items() if key not in ("seconds", "time")} for event in found]

    assert timeless(simulated) == timeless(finished.folder)
    traffic = json.loads((finished.folder / "summary.json").read_text())["traffic"]
    for site, cost in json.loads((simulated / "cost.json").read_text())["sites"].items():
        assert {name: cost[name] for name in traffic[site]} == traffic[site]


def test_a_structure_nobody_contours_at_a_site_has_no_value_there(finished, phantoms):
    validations = [event for event in events(finished) if event["site"] == "site_b" and event["phase"] == "validate"]
    never = set(Dataset.open(phantoms / "site_b").provenance["site_shift"]["never_contoured"]) & set(validations[-1]["dice"])
    assert never
    for structure in never:
        assert validations[-1]["dice"][structure] is None
        row = next(line for line in (finished.folder / "summary.txt").read_text().splitlines() if structure in line)
        assert [cell.strip() for cell in row.split("│")][3] == "-"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_metrics_and_weights(finished, repeated):
    def timeless(run):
        dropped = {"seconds", "time"}
        return [{key: value for key, value in event.items() if key not in dropped} for event in events(run)]

    assert timeless(finished) == timeless(repeated)
    for site in SITES:
        _, first = read_model(finished.folder / "save" / site / "last.safetensors")
        _, again = read_model(repeated.folder / "save" / site / "last.safetensors")
        assert all(np.array_equal(first[name], again[name]) for name in first)


def test_nothing_is_shared_but_the_network(finished):
    workspaces = finished.folder / "workspaces"
    plans = {(workspaces / name / "plan" / "plan.yaml").read_bytes() for name in (*SITES, "aggregator")}
    assert plans == {(finished.folder / "config" / "plan.yaml").read_bytes()}
    settings = yaml.safe_load(plans.pop())["network"]["settings"]
    assert settings["use_tls"] and settings["require_client_auth"]
    for site in SITES:
        keys = [path.name for path in (workspaces / site).rglob("*.key")]
        assert keys == [f"col_{site}.key"]
        assert [line.split(",")[0] for line in (workspaces / site / "plan" / "data.yaml").read_text().splitlines()] == [site]
        assert not [path for path in (workspaces / site).rglob("*") if path.is_symlink()]
    assert not list((workspaces / "aggregator").rglob("col_*.key"))


def test_a_used_run_folder_is_refused_before_anything_starts(finished, phantoms):
    before = (finished.folder / "summary.txt").read_bytes()
    again = run_command(phantoms, finished.folder, *QUICK)
    assert again.exit_code == 1
    assert "expected an empty or new run folder" in again.output
    assert (finished.folder / "summary.txt").read_bytes() == before


def test_a_folder_without_datasets_is_refused(tmp_path):
    run = run_command(tmp_path, tmp_path / "run")
    assert run.exit_code == 1
    assert "expected a folder with one dataset per site" in run.output
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_site_that_cannot_train_is_named_with_its_reason(phantoms, tmp_path):
    data = shutil.copytree(phantoms, tmp_path / "data")
    index = data / "site_b" / "dataset.json"
    content = json.loads(index.read_text())
    for case in content["cases"].values():
        case["split"] = "test"
    index.write_text(json.dumps(content))
    run = run_command(data, tmp_path / "run", *QUICK)
    assert run.exit_code == 6
    assert "site_b ended with exit code 1" in run.output
    assert "has no training case" in run.output


def wait_until_training(folder: Path, process: subprocess.Popen) -> list[psutil.Process]:
    """Waits for the first trained round of both sites; returns all processes the federation started."""
    files = [folder / "workspaces" / site / "logs" / site / "metrics.jsonl" for site in SITES]
    for _ in range(1200):
        assert process.poll() is None, (folder.parent / "output.txt").read_text()
        if all(path.is_file() and '"train"' in path.read_text() for path in files):
            return psutil.Process(process.pid).children(recursive=True)
        time.sleep(0.2)
    raise AssertionError("the federation never trained a round")


def assert_all_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive


@pytest.mark.slow
def test_ctrl_c_ends_what_it_started_and_nothing_else(running, tmp_path):
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "fx collaborator start -n site_a"])
    try:
        started = wait_until_training(tmp_path / "run", running)
        assert len(started) >= 3
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
        assert_all_gone(started)
        assert stranger.poll() is None
        assert "stopped by SIGINT" in (tmp_path / "output.txt").read_text()
        assert (tmp_path / "run" / "metrics.jsonl").read_text().count("train") >= 2
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.slow
def test_a_collaborator_that_dies_is_named_and_the_whole_ends(running, tmp_path):
    started = wait_until_training(tmp_path / "run", running)
    victim = next(process for process in started if process.cmdline()[-2:] == ["-n", "site_b"])
    victim.kill()
    assert running.wait(60) == 6
    assert_all_gone(started)
    output = (tmp_path / "output.txt").read_text()
    assert "site_b was ended by SIGKILL" in output
    assert "logs/site_b.log" in output


def test_initial_weights_that_are_no_model_are_refused_before_anything_is_written(phantoms, tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"no model")
    settings = FederationSettings(
        plan="fedavg_phantom", data=phantoms, output=tmp_path / "run", initial_weights=tmp_path / "weights.safetensors"
    )
    with pytest.raises(ModelCardError, match=r"expected a model at 'weights.safetensors'"):
        run_federation(settings)
    assert not (tmp_path / "run").exists()


def test_a_mistyped_change_is_refused_before_anything_is_written(phantoms, tmp_path):
    settings = FederationSettings(
        plan="fedavg_phantom", data=phantoms, output=tmp_path / "run", changes=["task_runner.settings.steps=1"]
    )
    with pytest.raises(PlanSettingError, match=r"the plan has no 'task_runner.settings.steps'"):
        run_federation(settings)
    assert not (tmp_path / "run").exists()
