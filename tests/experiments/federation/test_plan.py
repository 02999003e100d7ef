import pytest
import yaml

from experiments.federation.plan import change_plan, free_ports, plan_bytes, read_plan, set_rounds
from experiments.federation.scheme import AggregatorScheme, PeerScheme, scheme_of
from src.errors import PlanSettingError
from src.plan_sections import check_plan


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
    scheme = scheme_of(plan, ["site_a"])
    written = yaml.safe_load(plan_bytes(plan))
    assert written == plan
    assert written["network"]["settings"]["agg_port"] == scheme.port
    assert written["network"]["settings"]["use_tls"] and written["network"]["settings"]["require_client_auth"]


@pytest.mark.parametrize("name", ["fedavg_phantom", "gossip_phantom", "cyclic_phantom", "individual_phantom"])
def test_rounds_are_training_rounds_in_every_kind_of_plan(name):
    plan = read_plan(name)
    set_rounds(plan, 7)
    check_plan(plan)
    assert plan["task_runner"]["settings"]["schedule_rounds"] == 7
    closing = 1 if name.startswith("fedavg") else 0
    assert plan["aggregator"]["settings"]["rounds_to_train"] == 7 + closing
    assert plan["collaborator"]["settings"].get("rounds", 7) == 7


def test_the_plan_decides_whether_there_is_an_aggregator(plan):
    assert isinstance(scheme_of(plan, ["site_a"]), AggregatorScheme)
    assert isinstance(scheme_of(read_plan("individual_phantom"), ["site_a"]), PeerScheme)


def test_who_takes_part_stands_in_a_plan_without_an_aggregator():
    plan = read_plan("gossip_phantom")
    scheme_of(plan, ["zagreb", "aachen"])
    assert plan["collaborator"]["settings"]["roster"] == ["aachen", "zagreb"]
    check_plan(plan)


def test_each_site_is_told_where_the_others_listen(tmp_path):
    sites = ["site_a", "site_b", "site_c"]
    workspaces = {name: tmp_path / name for name in (*sites, "authority")}
    for workspace in workspaces.values():
        (workspace / "plan").mkdir(parents=True)
        (workspace / "save").mkdir()
    (workspaces["authority"] / "save" / "init.pbuf").write_bytes(b"weights")
    scheme_of(read_plan("gossip_phantom"), sites).hand_out(workspaces)
    told = {site: yaml.safe_load((workspaces[site] / "plan" / "peers.yaml").read_text()) for site in sites}
    listening = {site: content["listen"] for site, content in told.items()}
    assert len(set(listening.values())) == 3
    for site, content in told.items():
        assert content["epoch"] == 1
        assert content["peers"] == {name: address for name, address in listening.items() if name != site}
        assert (workspaces[site] / "save" / "init.pbuf").read_bytes() == b"weights"


def test_ports_are_different_and_free():
    ports = free_ports(20)
    assert len(set(ports)) == 20
