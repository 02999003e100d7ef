"""The whole soak in a minute and a half: the same code and kinds of faults, in proportionally shorter windows."""

import json
import subprocess
import sys

import pytest

from experiments.soak.__main__ import read_arguments
from experiments.soak.federation import HONEST, RANDOM, ROSTER, pace_of, soak_plan, with_seed
from src.plan_sections import check_plan
from tests.conftest import REPOSITORY
from tests.experiments.soak.namespaced import needs_namespaces

MAY_BE_SHORT = {"final Dice within the seed-to-seed spread of undisturbed runs", "nothing of a hostile site in a model"}


@pytest.mark.slow
@needs_namespaces
def test_a_minute_and_a_half(tmp_path):
    command = [sys.executable, "-m", "experiments.soak", "--minutes", "1.5", "--undisturbed-seeds", "2"]
    run = tmp_path / "run"
    ended = subprocess.run([*command, "--output", str(run)], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (run / "soak.json").is_file(), ended.stdout + ended.stderr
    content = json.loads((run / "soak.json").read_text())
    # In six rounds nobody learns enough to tell noise from a beginner.
    failed = [entry for entry in content["criteria"] if entry["passed"] is False and entry["name"] not in MAY_BE_SHORT]
    assert not failed, failed
    assert (ended.returncode == 0) is content["passed"]
    assert sum(content["kills"].values()) >= 1 and content["packets"]["lost"] and content["packets"]["cut"]
    assert set(content["refused"]["callers"]) >= {"name", "run"}
    assert (run / "soak.png").is_file() and (run / "faults.jsonl").read_text().count("\n") > 10


def test_the_plan_is_one_and_the_undisturbed_one_differs_in_its_roster_alone():
    plan, undisturbed = soak_plan(40, 0), with_seed(soak_plan(40, 0), 0, HONEST)
    check_plan(plan)
    assert plan["collaborator"]["settings"].pop("roster") == sorted(ROSTER) and RANDOM in ROSTER
    assert undisturbed["collaborator"]["settings"].pop("roster") == sorted(HONEST)
    assert plan == undisturbed != with_seed(undisturbed, 1, HONEST)


@pytest.mark.parametrize("minutes", [1.5, 30, 60])
def test_pauses_take_three_fifths_of_the_time(minutes):
    pace = pace_of(minutes)
    assert pace.rounds >= 6 and abs(pace.rounds * pace.pause_s - 36 * minutes) < 1


def test_a_soak_without_arguments_is_the_full_one():
    given = read_arguments([])
    assert (given.minutes, given.seed, given.undisturbed_seeds) == (30.0, 0, 3) and not given.judge_again
