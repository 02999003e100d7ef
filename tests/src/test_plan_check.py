"""Plans: every one in the repository, and every mistyped setting of each."""

import copy
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from src.errors import PlanSettingError
from src.plan_check import build_task_runner, check_plan, check_running_plan, main, running_plan

PLANS = sorted(Path("plan").rglob("plan.yaml"))
NAMES = [str(path) for path in PLANS]


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


PHANTOM = read(Path("plan/plans/fedavg_phantom/plan.yaml"))
GOSSIP = read(Path("plan/plans/gossip_phantom/plan.yaml"))


def mappings(config: dict, where: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The place of every mapping in a plan, the plan itself included."""
    places = [where]
    for key, value in config.items():
        if isinstance(value, dict):
            places += mappings(value, (*where, key))
    return places


def at(config: dict, where: tuple[str, ...]) -> dict:
    for key in where:
        config = config[key]
    return config


def changed(where: str, value, base: dict = PHANTOM) -> dict:
    """A plan with one dotted place set to ``value``."""
    *parents, key = where.split(".")
    plan = copy.deepcopy(base)
    at(plan, tuple(parents))[key] = value
    return plan


# One plan of each set of settings: which settings there are does not depend on their values.
SHAPES = {tuple(sorted((where, *sorted(at(read(path), where))) for where in mappings(read(path)))): path for path in PLANS}
PLACES = [(path, where) for path in sorted(SHAPES.values()) for where in mappings(read(path))]
PLACE_NAMES = [f"{path.parent.name}:{'.'.join(where) or 'top'}" for path, where in PLACES]


@pytest.mark.parametrize("path", PLANS, ids=NAMES)
def test_every_plan_parses_and_its_classes_accept_exactly_its_settings(path):
    plan = read(path)
    check_plan(plan)
    build_task_runner(plan)


@pytest.mark.parametrize("path, where", PLACES, ids=PLACE_NAMES)
def test_one_unknown_setting_fails_wherever_it_stands(path, where):
    plan = read(path)
    at(plan, where)["not_a_setting"] = 1
    with pytest.raises(PlanSettingError) as refusal:
        check_plan(plan)
        build_task_runner(plan)
    assert "not_a_setting" in str(refusal.value)


@pytest.mark.parametrize("path, where", PLACES, ids=PLACE_NAMES)
def test_each_mistyped_setting_fails(path, where):
    for key in at(read(path), where):
        plan = read(path)
        place = at(plan, where)
        place[f"{key}x"] = place.pop(key)
        with pytest.raises(PlanSettingError):
            check_plan(plan)
            build_task_runner(plan)


@pytest.mark.parametrize(
    "where, value, message",
    [
        ("agregator", {}, r"plan: unknown setting 'agregator'; did you mean 'aggregator'\?"),
        ("network.settings.agg_prot", 1, r"network\.settings: unknown setting 'agg_prot'; did you mean 'agg_port'\?"),
        ("assigner.settings.task_groups", [], r"assigner\.settings: unknown setting 'task_groups'"),
        ("collaborator.settings.collaborator_name", "a", "unknown setting 'collaborator_name'"),  # OpenFL's to give
        ("aggregator.settings.poll_s", "soon", r"aggregator\.settings\.poll_s: expected int, found 'soon'"),
        ("aggregator.settings.poll_s", True, "expected int, found True"),
        ("task_runner.settings.overlap", "1e-1", "YAML reads 1e-1 as text, write the number with a decimal point"),
        ("data_loader.settings.structures", "Liver", r"expected list\[str\], found 'Liver'"),
        ("aggregator.settings", None, "setting 'rounds_to_train' is missing"),
        ("aggregator", [], "expected settings as 'name: value'"),
        ("aggregator.defaults", "plan/defaults/aggregator.yaml", r"aggregator\.defaults: OpenFL reads nothing"),
        (
            "aggregator.template",
            "src.agregator.SegmentationAggregator",
            r"aggregator\.template.*No module named 'src\.agregator'",
        ),
        ("aggregator.template", "src.aggregator.SegmentationAgregator", "did you mean 'SegmentationAggregator'"),
        ("aggregator.template", "SegmentationAggregator", r"package\.module\.Class"),
        ("aggregator.settings.rounds_to_train", 1, "at least 2"),
        ("task_runner.settings.schedule_rounds", 3, r"schedule_rounds \(3\) must not be below the training rounds"),
        ("network.settings.agg_addr", "auto", "every site would get another"),
        ("network.settings.agg_port", "auto", "expected int"),
        ("network.settings.agg_port", 0, "1 to 65535"),
        ("network.settings.transport_protocol", "rest", "expected grpc"),
        ("tasks.train.function", "trian_task", "has no task 'trian_task'"),
        ("tasks.aggregated_model_validation.kwargs", {}, "setting 'apply' is missing"),
        ("tasks.train.aggregation_type.template", "openfl.pipelines.NoCompressionPipeline", "does not aggregate"),
        ("assigner.settings.training_task", "learn", "expected 'learn'"),
        ("straggler_handling_policy", {"template": "openfl.component.WaitForAllPolicy", "settings": {"s": 1}}, "it takes none"),
    ],
)
def test_what_is_wrong_is_named(where, value, message):
    with pytest.raises(PlanSettingError, match=message):
        check_plan(changed(where, value))


EXCHANGE, LEARNING = "collaborator.settings.exchange", "collaborator.settings.learning"


@pytest.mark.parametrize(
    "where, value, message",
    [
        (
            f"{EXCHANGE}.schedul",
            "ring",
            r"collaborator\.settings\.exchange: unknown setting 'schedul'; did you mean 'schedule'",
        ),
        (f"{EXCHANGE}.schedule", "star", r"exchange\.schedule: expected one of .*base_k_plus_1.*found 'star'"),
        (f"{EXCHANGE}.warm_up_rounds", 0, r"exchange\.warm_up_rounds: expected a whole number of at least 1"),
        (f"{EXCHANGE}.warm_up_rounds", 1.5, r"exchange\.warm_up_rounds: expected int, found 1\.5"),
        (f"{EXCHANGE}.warm_up_rounds", 8, "no exchange in 10 rounds with warm_up_rounds 8 and local_rounds_at_end 2"),
        (f"{EXCHANGE}.lock_step", "no thanks", r"exchange\.lock_step: expected bool"),
        (f"{EXCHANGE}.schedule", "chain", "a chain hands its model on"),
        (f"{EXCHANGE}.reachability", "outbound", r"exchange\.reachability: expected dict, found 'outbound'"),
        (f"{EXCHANGE}.reachability", {"site_a": "vpn"}, r"reachability\.site_a: expected one of direct, outbound, folder"),
        (f"{EXCHANGE}.reachability", {"site_x": "direct"}, "expected sites of the roster .*, found site_x"),
        (
            f"{EXCHANGE}.reachability",
            dict.fromkeys(["site_a", "site_b", "site_c", "site_d"], "outbound"),
            r"these never meet: site_a \(outbound\); site_b \(outbound\); site_c \(outbound\); site_d \(outbound\)",
        ),
        (f"{EXCHANGE}.reachability", {"site_d": "folder"}, r"site_d \(folder\).*needs exchange\.folder: true"),
        (f"{EXCHANGE}.folder", "yes please", r"exchange\.folder: expected bool"),
        (f"{EXCHANGE}.quorum", 5, r"exchange\.quorum: expected at most 4, the sites that site_a can meet and itself, found 5"),
        (f"{EXCHANGE}.quorum", "half", r"exchange\.quorum: expected int, found 'half'"),
        (f"{EXCHANGE}.noise", {"clip_norm": 1.0}, "exchange.noise: expected clip_norm, delta, noise_multiplier, or null"),
        (f"{EXCHANGE}.noise", "much", r"exchange\.noise: expected dict"),
        ("collaborator.settings.timing.missing_after_s", 0, r"timing\.missing_after_s: expected a number"),
        (f"{EXCHANGE}.peers_per_exchange", 4, "expected at most the 3 other sites of the roster, found 4"),
        (f"{LEARNING}.rule", ["teach"], r"learning\.rule: expected a list of mutual, distill, average, adopt"),
        (f"{LEARNING}.rule", "average", r"learning\.rule: expected list\[str\], found 'average'"),
        (f"{LEARNING}.gate_width", 0, r"learning\.gate_width: expected a number"),
        ("collaborator.settings.completion.steps", -1, r"completion\.steps: expected a whole number"),
        ("collaborator.settings.completion", {"steps": 1}, "setting 'learning_rate' is missing"),
        ("collaborator.settings.timing.pull_timeout_s", "1m", r"timing\.pull_timeout_s: expected float, found '1m'"),
        ("collaborator.settings.timing.serve_after_s", 0, r"timing\.serve_after_s: expected a number"),
        ("collaborator.settings.roster", ["site_b", "site_a"], r"roster: expected the sites' names, sorted, each once"),
        ("collaborator.settings.roster", ["site_a", "site_a"], "each once"),
        ("collaborator.settings.roster", [], "each once"),
        ("collaborator.settings.roster", ["Site_A"], "lower-case letters"),
        ("collaborator.settings.roster", "site_a", r"expected list\[str\]"),
        ("collaborator.settings.run_id", "", "expected a run name of 1 to 64"),
        ("collaborator.settings.rounds", 9, r"rounds \(9\) and aggregator\.settings\.rounds_to_train \(10\) must be the same"),
        ("collaborator.settings.rounds", 0, r"collaborator\.settings\.rounds: expected a whole number of at least 1"),
        (
            "collaborator.settings.init_state_path",
            "save/first.pbuf",
            r"aggregator\.settings\.init_state_path .*must be the same",
        ),
        ("task_runner.settings.schedule_rounds", 9, r"schedule_rounds \(9\) must not be below"),
        ("task_runner.settings.proximal_mu", 0.01, r"proximal_mu: expected 0"),
        ("network.settings.agg_addr", "server.example", "expected agg_addr no-aggregator"),
        ("network.settings.use_tls", False, "mutual TLS only"),
        ("aggregator.template", "src.aggregator.SegmentationAggregator", "aggregator"),
        ("assigner.template", "src.assigner.ClosingValidationAssigner", "expected src.no_aggregator.NoAssigner"),
        ("collaborator.template", "src.collaborator.AveragingCollaborator", "collaborator"),
        ("compression_pipeline.template", "openfl.pipelines.KCPipeline", "compression_pipeline"),
        ("tasks", {}, "unknown setting 'tasks'"),
        ("straggler_handling_policy", {}, "unknown setting 'straggler_handling_policy'"),
    ],
)
def test_what_is_wrong_without_an_aggregator_is_named(where, value, message):
    with pytest.raises(PlanSettingError, match=message):
        check_plan(changed(where, value, GOSSIP))


@pytest.mark.parametrize("rule", [["mutual"], ["mutual", "average"], ["distill", "average"]])
def test_co_training_takes_one_peer_at_a_time(rule):
    plan = changed(f"{LEARNING}.rule", rule, GOSSIP)
    check_plan(plan)
    for name, value in (("schedule", "full"), ("peers_per_exchange", 2)):
        with pytest.raises(PlanSettingError, match=f"{rule[0]} learns from one peer at a time"):
            check_plan(changed(f"{EXCHANGE}.{name}", value, plan))


def test_noise_without_its_accountant_is_refused_with_what_to_install(monkeypatch):
    plan = changed(f"{EXCHANGE}.noise", {"clip_norm": 1.0, "noise_multiplier": 1.0, "delta": 1.0e-5}, GOSSIP)
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    with pytest.raises(PlanSettingError, match=r"exchange\.noise: .*pip install 'dp-accounting"):
        check_plan(plan)


@pytest.mark.parametrize("rule", [["average"], ["mutual", "adopt"]])
def test_a_chain_only_hands_on(rule):
    plan = read(Path("plan/plans/cyclic_phantom/plan.yaml"))
    with pytest.raises(PlanSettingError, match=r"rule: expected \[adopt\] with schedule chain"):
        check_plan(changed(f"{LEARNING}.rule", rule, plan))


def test_a_chain_needs_a_direct_site_between_any_two_outbound_ones():
    plan = read(Path("plan/plans/cyclic_phantom/plan.yaml"))
    check_plan(changed(f"{EXCHANGE}.reachability", dict.fromkeys(["site_a", "site_b"], "outbound"), plan))
    with pytest.raises(PlanSettingError, match="at least as many direct sites as outbound ones, found 1 and 3"):
        check_plan(changed(f"{EXCHANGE}.reachability", dict.fromkeys(["site_a", "site_b", "site_c"], "outbound"), plan))


def test_a_site_that_exchanges_nothing_need_not_be_reached():
    plan = read(Path("plan/plans/individual_phantom/plan.yaml"))
    check_plan(changed(f"{EXCHANGE}.reachability", dict.fromkeys(["site_a", "site_b", "site_c", "site_d"], "outbound"), plan))


def test_a_site_may_be_the_only_one():
    check_plan(changed("collaborator.settings.roster", ["site_a"], GOSSIP))


def test_a_training_that_would_be_averaged_by_openfl_is_refused():
    plan = copy.deepcopy(PHANTOM)
    del plan["tasks"]["train"]["aggregation_type"]
    with pytest.raises(PlanSettingError, match="aggregation_type"):
        check_plan(plan)


@pytest.mark.parametrize(
    "base, section",
    [(base, section) for base in (PHANTOM, GOSSIP) for section in sorted(base)],
    ids=[f"{name}:{section}" for name, base in (("fedavg", PHANTOM), ("gossip", GOSSIP)) for section in sorted(base)],
)
def test_a_section_that_is_not_there(base, section):
    plan = {name: content for name, content in base.items() if name != section}
    if section == "compression_pipeline":
        check_plan(plan)  # OpenFL's own is the lossless one
    else:
        with pytest.raises(PlanSettingError, match=section):
            check_plan(plan)


@pytest.mark.parametrize("base", [PHANTOM, GOSSIP], ids=["fedavg", "gossip"])
def test_a_plan_as_openfl_copies_it_is_in_order(base):
    """``fx workspace create`` gives every section, tasks included, an empty ``settings``."""
    plan = copy.deepcopy(base)
    for content in plan.values():
        content.setdefault("settings", {})
    check_plan(plan)


def test_outside_fx_there_is_no_running_plan():
    assert running_plan() is None
    check_running_plan()


@pytest.mark.parametrize("option", ["plan", "plan_config"])
def test_the_running_plan_is_the_one_on_the_command_line(tmp_path, option):
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(changed("network.settings.use_tsl", True)), encoding="utf-8")
    found = []

    @click.command()
    @click.option(f"--{option}", option)
    def start(**_):
        found.append(running_plan())
        check_running_plan()

    result = CliRunner().invoke(start, [f"--{option}", str(path)])
    assert found[0]["network"]["settings"]["use_tsl"] is True
    assert isinstance(result.exception, PlanSettingError) and "did you mean 'use_tls'" in str(result.exception)


def test_the_command_says_which_plan_and_ends_with_1(tmp_path, capsys):
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(changed("task_runner.settings.network.features", 0)), encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        main([str(path)])
    assert stop.value.code == 1
    assert "task_runner.network.features" in (error := capsys.readouterr().err) and str(path) in error


@pytest.mark.parametrize("content", ["a: [1", "\x00", "just text", ""])
def test_a_file_that_is_no_plan(tmp_path, capsys, content):
    path = tmp_path / "plan.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit):
        main([str(path)])
    assert capsys.readouterr().err.startswith("PlanSettingError: ")


def test_as_a_command():
    path = "plan/plans/fedavg_phantom/plan.yaml"
    done = subprocess.run([sys.executable, "-m", "src.plan_check", path], capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stdout) == (0, f"{path}: in order\n"), done.stderr
