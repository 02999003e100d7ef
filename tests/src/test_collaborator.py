"""The collaborator: whole rounds against a real aggregator over mutual TLS, and how its process ends."""

import json
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from openfl.federated import TaskRunner
from openfl.pipelines import NoCompressionPipeline
from openfl.utilities import TensorKey

from src.collaborator import AveragingCollaborator
from src.errors import AggregatorRefused, AggregatorUnreachable, CaseError, PlanSettingError
from tests.src.certificates import Authority
from tests.src.small_federation import STRUCTURES, TASKS, aggregator_in, network, read_model
from tests.src.small_server import ROOT, client_of, free_port, serving, within

SITES = {"site_a": (2.0, 3), "site_b": (6.0, 1)}  # what its training adds, and its cases


class AddingRunner(TaskRunner):
    """A runner whose training adds a number to every weight, and whose Dice is its distance from 8."""

    def __init__(self, step: float, cases: int) -> None:
        self.step, self.cases, self.federation, self.seen = step, cases, "", []

    def set_optimizer_treatment(self, treatment):
        self.treatment = treatment

    def get_train_data_size(self):
        return self.cases

    def get_valid_data_size(self):
        return self.cases

    def get_required_tensorkeys_for_function(self, function, **kwargs):
        return [TensorKey(name, "GLOBAL", 0, False, ("model",)) for name in network(0.0)]

    def validate_task(self, col_name, round_num, input_tensor_dict, apply):
        self.seen.append(float(input_tensor_dict["head.bias"][0]))
        dice = 1 / (1 + abs(self.seen[-1] - 8))
        metrics = {TensorKey("mean_dice", col_name, round_num, True, ("metric", "validate")): np.array(dice)}
        for channel, name in enumerate(STRUCTURES):
            for metric, value in (("dice", dice), ("valid_cases", float(self.cases))):
                key = TensorKey(f"{metric}/{channel:02d}/{name}", col_name, round_num, False, ("metric", "validate"))
                metrics[key] = np.array(value)
        return metrics, {}

    def train_task(self, col_name, round_num, input_tensor_dict):
        results = {
            TensorKey(name, col_name, round_num, False, ("trained",)): values + np.float32(self.step)
            for name, values in input_tensor_dict.items()
        }
        results[TensorKey("train_loss", col_name, round_num, True, ("metric",))] = np.array(0.5)
        for channel, name in enumerate(STRUCTURES):
            key = TensorKey(f"train_cases/{channel:02d}/{name}", col_name, round_num, False, ("metric",))
            results[key] = np.array(float(self.cases) if channel == 0 else 0.0)
        return results, {}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki") / "ca")


@pytest.fixture(scope="module")
def certificates(authority):
    return {name: authority.certify(name) for name in (*SITES, "localhost")}


def collaborator(site, port, certificate, runner=None, **changes):
    settings = {
        "collaborator_name": site,
        "aggregator_uuid": "aggregator_plan.yaml_1",
        "federation_uuid": "plan.yaml_1",
        "client": client_of(port, site, certificate),
        "task_runner": runner or AddingRunner(*SITES[site]),
        "task_config": {name: {"kwargs": {}, **task} for name, task in TASKS.items()},
        "compression_pipeline": NoCompressionPipeline(),
        "secure_aggregation": False,
        "give_up_after_s": 6,
    }
    settings["task_config"]["aggregated_model_validation"]["kwargs"] = {"apply": "global"}
    return AveragingCollaborator(**{**settings, **changes})


def test_two_sites_train_and_leave_in_peace(tmp_path, certificates):
    port = free_port()
    aggregator = aggregator_in(tmp_path, tuple(SITES), rounds_to_train=3)
    runners = {site: AddingRunner(*SITES[site]) for site in SITES}
    with serving(aggregator, port, certificates["localhost"]):
        sites = [collaborator(site, port, certificates[site], runners[site], give_up_after_s=20) for site in SITES]
        other = threading.Thread(target=sites[0].run, daemon=True)
        other.start()
        slow = within(60, sites[1].run)
        other.join(20)
    assert slow.error is None and not other.is_alive()
    assert runners["site_a"].seen == runners["site_b"].seen == [1.0, 4.0, 7.0]  # + (3·2 + 1·6) / 4 each round
    assert aggregator.all_quit_jobs_sent()
    assert read_model(tmp_path / "last.pbuf")["backbone.weight"][0, 0] == 7.0
    assert read_model(tmp_path / "best.pbuf")["head.bias"].tolist() == [7.0, 1.0]
    assert runners["site_a"].federation == "plan.yaml_1"


def test_the_process_ends_with_the_reason_and_its_exit_code(tmp_path, certificates, capsys):
    port = free_port()
    stop = within(20, collaborator("site_a", port, certificates["site_a"]).run).error
    assert isinstance(stop, SystemExit) and stop.code == AggregatorUnreachable.exit_code == 3
    assert "AggregatorUnreachable: could not ask for tasks" in capsys.readouterr().err


def test_a_refused_site_ends_with_another_code(tmp_path, certificates, capsys):
    port = free_port()
    with serving(aggregator_in(tmp_path, ("site_b",)), port, certificates["localhost"]):
        stop = within(25, collaborator("site_a", port, certificates["site_a"]).run).error
        ping = within(25, collaborator("site_a", port, certificates["site_a"]).ping).error
    assert isinstance(stop, SystemExit) and stop.code == ping.code == AggregatorRefused.exit_code == 4
    assert "AggregatorRefused: " in capsys.readouterr().err


def test_an_error_in_a_task_is_an_end_too(tmp_path, certificates, capsys):
    class Broken(AddingRunner):
        def validate_task(self, **_):
            raise CaseError("case_001", "the CT is empty; convert the case again")

    port = free_port()
    with serving(aggregator_in(tmp_path, ("site_a",)), port, certificates["localhost"]):
        stop = within(25, collaborator("site_a", port, certificates["site_a"], Broken(1.0, 1)).run).error
    assert isinstance(stop, SystemExit) and stop.code == 1
    assert "CaseError: case case_001" in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"give_up_after_s": 5}, "give_up_after_s"),
        ({"give_up_after_s": "1m"}, "give_up_after_s"),
        ({"opt_treatment": "CONTINUE_GLOBAL"}, "CONTINUE_LOCAL"),
        ({"secure_aggregation": True}, "secure_aggregation"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(certificates, changes, message):
    with pytest.raises(PlanSettingError, match=message):
        collaborator("site_a", 1, certificates["site_a"], **changes)


WAITING = """
import json, sys
from tests.src.test_collaborator import AddingRunner, collaborator
collaborator("site_a", int(sys.argv[1]), json.loads(sys.argv[2]), AddingRunner(1.0, 1), give_up_after_s=600).run()
"""


@pytest.mark.slow
def test_sigterm_ends_a_site_that_waits_with_a_line_and_a_code_of_its_own(certificates):
    command = [sys.executable, "-c", WAITING, str(free_port()), json.dumps(certificates["site_a"])]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if "trying again" in line:
                break
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 11
    assert "Stopped: stopped by SIGTERM; the aggregator waits for this site" in said and "Traceback" not in said
