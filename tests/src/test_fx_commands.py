"""What people type: real ``fx`` processes that must end, with a reason as their last words and an exit code that is not 0."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from openfl.pipelines import NoCompressionPipeline
from openfl.protocols import utils

from src.aggregator_link import AggregatorLink
from src.errors import AggregatorRefused, NoUsableUpdate
from src.model.state import network_state, state_digest
from src.plan_check import build_task_runner
from tests.src.certificates import Authority
from tests.src.small_federation import TRAIN, VALIDATE, encode, network
from tests.src.small_server import ROOT, client_of, free_port, process_of_its_own

FX = str(Path(sys.executable).parent / "fx")
TIMEOUT_S = 240  # this machine may be busy; alone it takes seconds


@pytest.fixture
def plan():
    return yaml.safe_load((ROOT / "plan/plans/fedavg_phantom/plan.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "src").symlink_to(ROOT / "src")
    shutil.copytree(ROOT / "plan", tmp_path / "plan", ignore=shutil.ignore_patterns("plans"))
    shutil.copy(Path(yaml.__file__).parent.parent / "openfl-workspace/workspace/.workspace", tmp_path)
    (tmp_path / "plan/cols.yaml").write_text("collaborators: [site_a]\n", encoding="utf-8")
    (tmp_path / "plan/data.yaml").write_text("site_a,data/site_a\n", encoding="utf-8")
    (tmp_path / "save").mkdir()
    return tmp_path


def fx(workspace: Path, plan: dict, *command: str) -> subprocess.CompletedProcess:
    (workspace / "plan/plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    return subprocess.run([FX, *command], cwd=workspace, capture_output=True, text=True, timeout=TIMEOUT_S)


def write_initial(workspace: Path, tensors: dict) -> None:
    proto = utils.construct_model_proto(tensors, 0, NoCompressionPipeline())
    utils.dump_proto(proto, str(workspace / "save/init.pbuf"))


def last_line(done: subprocess.CompletedProcess) -> str:
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "command, section",
    [
        (("plan", "initialize"), "network"),
        (("aggregator", "start"), "network"),
        (("collaborator", "start", "-n", "site_a"), "tasks"),
    ],
    ids=["plan initialize", "aggregator start", "collaborator start"],
)
def test_a_mistyped_setting_stops_every_command(workspace, plan, command, section):
    place = plan[section]["train"] if section == "tasks" else plan[section].setdefault("settings", {})
    place["mistyped"] = 1
    done = fx(workspace, plan, *command)
    assert done.returncode != 0
    assert "PlanSettingError" in last_line(done) and "unknown setting 'mistyped'" in last_line(done)
    assert list((workspace / "save").iterdir()) == []


def test_the_aggregator_refuses_the_weights_of_another_network(workspace, plan):
    runner = build_task_runner(plan)
    tensors = network_state(runner.network)
    tensors["head.weight"] = tensors["head.weight"][:-1]  # one structure less
    write_initial(workspace, tensors)
    done = fx(workspace, plan, "aggregator", "start")
    assert done.returncode != 0
    assert "ModelCardError" in last_line(done) and "head.weight" in last_line(done)


def test_the_aggregator_refuses_weights_whose_card_is_of_other_structures(workspace, plan):
    runner = build_task_runner(plan)
    tensors = network_state(runner.network)
    write_initial(workspace, tensors)
    card = runner.card().to_json()
    card["structures"] = [*card["structures"][1:], "Colon"]  # as many, so every shape fits
    bound = {"digest": state_digest(tensors), "card": card}
    (workspace / "save/init_card.json").write_text(json.dumps(bound), encoding="utf-8")
    done = fx(workspace, plan, "aggregator", "start")
    assert done.returncode != 0
    assert "ModelCardError" in last_line(done) and "Colon" in last_line(done)


def test_an_aggregator_without_a_usable_update_ends_with_its_own_exit_code(tmp_path):
    port = free_port()
    authority = Authority(tmp_path / "pki")
    link = AggregatorLink(client_of(port, "site_a", authority.certify("site_a")), TIMEOUT_S)
    with process_of_its_own(tmp_path, port, authority.certify("localhost")) as process:
        link.get_tasks()
        link.send_local_task_results(0, VALIDATE, 1, encode({"mean_dice": 0.5}, 0))
        counts = {"train_cases/00/Liver": 1.0, "train_cases/01/Spleen": 1.0}
        with pytest.raises(AggregatorRefused, match="not finite"):
            link.send_local_task_results(0, TRAIN, 1, encode({**network(np.nan), **counts}, 0))
        _, errors = process.communicate(timeout=60)
    assert process.returncode == NoUsableUpdate.exit_code
    assert "NoUsableUpdate: round 0" in errors and "backbone.weight" in errors
