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


def changed(where: str, value) -> dict:
    """The phantom plan with one dotted place set to ``value``."""
    *parents, key = where.split(".")
    plan = copy.deepcopy(PHANTOM)
    at(plan, tuple(parents))[key] = value
    return plan


PLACES = [(path, where) for path in PLANS for where in mappings(read(path))]
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


def test_a_training_that_would_be_averaged_by_openfl_is_refused():
    plan = copy.deepcopy(PHANTOM)
    del plan["tasks"]["train"]["aggregation_type"]
    with pytest.raises(PlanSettingError, match="aggregation_type"):
        check_plan(plan)


@pytest.mark.parametrize("section", sorted(PHANTOM))
def test_a_section_that_is_not_there(section):
    plan = {name: content for name, content in PHANTOM.items() if name != section}
    if section == "compression_pipeline":
        check_plan(plan)  # OpenFL's own is the lossless one
    else:
        with pytest.raises(PlanSettingError, match=section):
            check_plan(plan)


def test_a_plan_as_openfl_copies_it_is_in_order():
    """``fx workspace create`` gives every section, tasks included, an empty ``settings``."""
    plan = copy.deepcopy(PHANTOM)
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
