import pytest
import yaml

from experiments.federation.plan import address_plan, change_plan, plan_bytes, read_plan
from src.errors import PlanSettingError


@pytest.fixture
def plan():
    return read_plan("fedavg_phantom")


def test_a_change_reaches_its_setting_as_yaml(plan):
    change_plan(plan, ["task_runner.settings.steps_per_round=4", "data_loader.settings.spacing_mm=[8, 8, 8]"])
    assert plan["task_runner"]["settings"]["steps_per_round"] == 4
    assert plan["data_loader"]["settings"]["spacing_mm"] == [8, 8, 8]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("task_runner.settings.steps_per_rond=4", "no 'task_runner.settings.steps_per_rond'; did you mean 'steps_per_round'"),
        ("task_runer.settings.steps_per_round=4", "no 'task_runer'; did you mean 'task_runner'"),
        ("task_runner.settings.steps_per_round.deep=4", "there are no settings below it"),
        ("task_runner.settings.steps_per_round", "expected section.settings.key=value"),
    ],
)
def test_a_mistyped_change_is_refused(plan, change, message):
    before = plan_bytes(plan)
    with pytest.raises(PlanSettingError, match=message):
        change_plan(plan, [change])
    assert plan_bytes(plan) == before


def test_unknown_plan_lists_those_there_are():
    with pytest.raises(PlanSettingError, match=r"found 'fedavg_foot'; there are .*fedavg_phantom"):
        read_plan("fedavg_foot")


def test_bytes_hold_the_whole_plan_and_always_mutual_tls(plan):
    plan["network"]["settings"]["use_tls"] = False
    address_plan(plan, 4242)
    written = yaml.safe_load(plan_bytes(plan))
    assert written == plan
    assert written["network"]["settings"]["agg_port"] == 4242
    assert written["network"]["settings"]["use_tls"] and written["network"]["settings"]["require_client_auth"]
