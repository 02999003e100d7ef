"""A plan without an aggregator: its first weights are made as any plan's, and nobody can start what is not there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from src.errors import PlanSettingError
from src.no_aggregator import NoAggregator, NoAssigner
from tests.conftest import REPOSITORY

FX = str(Path(sys.executable).parent / "fx")
PLAN = "plan/plans/gossip_phantom/plan.yaml"


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "src").symlink_to(REPOSITORY / "src")
    shutil.copytree(REPOSITORY / "plan", tmp_path / "plan")
    shutil.copy(Path(yaml.__file__).parent.parent / "openfl-workspace/workspace/.workspace", tmp_path)
    (tmp_path / "save").mkdir()
    return tmp_path


def fx(workspace: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run([FX, *command], cwd=workspace, capture_output=True, text=True, timeout=240)


def test_neither_can_be_built():
    with pytest.raises(PlanSettingError, match="fx collaborator start -n <site>"):
        NoAggregator(rounds_to_train=3, init_state_path="save/init.pbuf", aggregator_uuid="a", federation_uuid="f")
    with pytest.raises(PlanSettingError, match="this plan has no aggregator"):
        NoAssigner(tasks={}, authorized_cols=["site_a"], rounds_to_train=3)


def test_the_first_weights_are_made_and_the_plan_stays_as_it_is(workspace):
    before = (workspace / PLAN).read_bytes()
    done = fx(workspace, "plan", "initialize", "-p", PLAN)
    assert done.returncode == 0, done.stderr
    assert (workspace / "save/init.pbuf").stat().st_size > 1e6
    assert (workspace / PLAN).read_bytes() == before


def test_an_aggregator_that_is_started_says_what_to_start_instead(workspace):
    done = fx(workspace, "aggregator", "start", "-p", PLAN)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "PlanSettingError: this plan has no aggregator" in last and "fx collaborator start" in last
