"""The plan's settings of learning and completion: what is possible, and that what is not is refused by its name."""

import math

import pytest

from src.errors import PlanSettingError
from src.learning.peer_settings import CompletionSettings
from tests.src.learning.small_peers import completion_settings, learning_settings

NO_NUMBERS = ["1", None, True, math.nan, [1]]


@pytest.mark.parametrize(
    "rule",
    [
        ["average"],
        ["mutual"],
        ["distill"],
        ["adopt"],
        ["mutual", "average"],
        ["mutual", "adopt"],
        ["distill", "average"],
        ["average", "mutual"],
    ],
)
def test_steps_that_compose(rule):
    settings = learning_settings(rule=rule)
    assert settings.co_training == next((step for step in rule if step in ("mutual", "distill")), None)


@pytest.mark.parametrize(
    "rule, why",
    [
        ([], "expected a list of"),
        ("average", "expected a list of"),
        (None, "expected a list of"),
        (["averages"], "expected a list of"),
        ([["average"]], "expected a list of"),
        (["average", "average"], "each step at most once"),
        (["mutual", "distill"], "one of mutual and distill"),
        (["average", "adopt"], "choose one"),
        (["mutual", "adopt", "average"], "choose one"),
    ],
)
def test_steps_that_do_not(rule, why):
    with pytest.raises(PlanSettingError, match=rf"^collaborator\.learning\.rule: .*{why}"):
        learning_settings(rule=rule)


@pytest.mark.parametrize(
    "name, values",
    [
        ("survivor", ["kept", "", None, True, ["best"]]),
        ("opt_treatment", ["reset", "CONTINUE_GLOBAL", None, ["RESET"]]),
        ("divergence_weight", [-0.1, 1001, math.inf, *NO_NUMBERS]),
        ("ramp_rounds", [-1, 0.5, 2.0, *NO_NUMBERS]),
        ("region_dilation_mm", [-1, 201, *NO_NUMBERS]),
        ("gate_width", [0, -0.1, 1.1, *NO_NUMBERS]),
        ("gate_smoothing", [-0.1, 1, *NO_NUMBERS]),
        ("peer_tolerance", [-0.01, 1.01, *NO_NUMBERS]),
    ],
)
def test_impossible_settings_of_learning_are_refused_by_name(name, values):
    for value in values:
        with pytest.raises(PlanSettingError, match=rf"^collaborator\.learning\.{name}: expected .*found "):
            learning_settings(**{name: value})


@pytest.mark.parametrize(
    "name, values",
    [
        ("steps", [-1, 1.5, *NO_NUMBERS]),
        ("learning_rate", [0, -1, 1.5, *NO_NUMBERS]),
        ("largest_loss", [-0.001, 1.1, *NO_NUMBERS]),
    ],
)
def test_impossible_settings_of_completion_are_refused_by_name(name, values):
    for value in values:
        with pytest.raises(PlanSettingError, match=rf"^collaborator\.completion\.{name}: expected .*found "):
            completion_settings(**{name: value})


def test_the_ends_of_the_ranges_are_possible():
    learning_settings(divergence_weight=0, region_dilation_mm=0, gate_width=1, gate_smoothing=0, peer_tolerance=0)
    learning_settings(divergence_weight=1000, region_dilation_mm=200, gate_width=1e-6, gate_smoothing=0.99, peer_tolerance=1)
    CompletionSettings(steps=0, learning_rate=1, largest_loss=0)
    CompletionSettings(steps=1, learning_rate=1e-8, largest_loss=1)


def test_the_weight_rises_in_a_straight_line_after_the_warm_up():
    settings = learning_settings(divergence_weight=0.8, ramp_rounds=4)
    found = [settings.divergence_weight_at(round_number, 2) for round_number in range(8)]
    assert found == pytest.approx([0, 0, 0.2, 0.4, 0.6, 0.8, 0.8, 0.8])
    at_once = learning_settings(divergence_weight=0.8, ramp_rounds=0)
    assert [at_once.divergence_weight_at(round_number, 1) for round_number in range(3)] == [0, 0.8, 0.8]
    assert learning_settings(divergence_weight=0, ramp_rounds=4).divergence_weight_at(9, 1) == 0
