"""What a run folder takes, and what it refuses before anything is written."""

import json
from pathlib import Path

import pytest

from experiments.simulation import simulate
from experiments.simulation.run_folder import RunFolder
from src.errors import FederationError, PlanSettingError
from tests.experiments.simulation.runs import content, tiny_plan

NAME = "individual_phantom"


@pytest.fixture(scope="module")
def done(phantoms, tmp_path_factory) -> Path:
    """A run that is done. Read only."""
    return simulate(tiny_plan("individual", rounds=1), NAME, phantoms, tmp_path_factory.mktemp("runs") / "done")


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_done_run_holds_no_state(done):
    files = {"metrics.jsonl", "summary.json", "summary.txt", "models.json", "cost.json", "done.json"}
    assert {entry.name for entry in done.iterdir()} == {"cache", "config", "logs", "save", *files}
    assert content(done, "done.json")["seconds"] > 0
    assert content(done, "done.json")["git_commit"] == content(done, "config/run.json")["git_commit"]
    assert {model["arm"] for model in content(done, "models.json")} == {"individual"}


def test_a_done_run_is_left_as_it_is(done, phantoms):
    before = files_of(done)
    assert simulate(tiny_plan("individual", rounds=1), NAME, phantoms, done, resume=True) == done
    assert files_of(done) == before


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"plan": tiny_plan("individual", rounds=2)}, "the plan"),
        ({"scheme": "alone"}, "scheme"),
        ({"plan_name": "individual_other"}, "plan"),
    ],
)
def test_a_folder_of_another_run_is_refused(done, phantoms, settings, named):
    given = {"plan": tiny_plan("individual", rounds=1), "plan_name": NAME, "scheme": "individual", **settings}
    before = files_of(done)
    with pytest.raises(FederationError, match=f"'done' was begun with, found another by {named}"):
        simulate(data=phantoms, output=done, resume=True, **given)
    assert files_of(done) == before


def test_a_folder_of_other_data_is_refused(done, phantoms, tmp_path):
    data = tmp_path / "data"
    for site, other in (("site_a", "site_b"), ("site_b", "site_a")):
        data.mkdir(exist_ok=True)
        (data / site).symlink_to(phantoms / other)
    with pytest.raises(FederationError, match="another by sites"):
        simulate(tiny_plan("individual", rounds=1), NAME, data, done, resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_in_use_for_something_else_is_refused(phantoms, tmp_path, resume):
    used = tmp_path / "used"
    used.mkdir()
    (used / "a.txt").touch()
    with pytest.raises(FederationError, match="'used'"):
        simulate(tiny_plan("individual"), NAME, phantoms, used, resume=resume)
    assert [path.name for path in used.iterdir()] == ["a.txt"]


def test_a_second_process_in_one_folder_is_refused(phantoms, tmp_path):
    plan = tiny_plan("individual")
    folder = RunFolder(tmp_path / "run", plan, {}, {})
    with folder.at_work(), pytest.raises(FederationError, match="'run', found another simulation at work"):
        simulate(plan, NAME, phantoms, tmp_path / "run", resume=True)


@pytest.mark.parametrize(("scheme", "rounds"), [("gossip", 1), ("fedavg", 3), ("fedavg", -1)])
def test_a_local_finish_that_cannot_be_is_refused(phantoms, tmp_path, scheme, rounds):
    with pytest.raises(PlanSettingError, match="local_finish_rounds: expected 0"):
        simulate(tiny_plan(scheme), f"{scheme}_phantom", phantoms, tmp_path / "new", local_finish_rounds=rounds)
    assert not (tmp_path / "new").exists()


def test_the_plan_given_is_not_changed(done, phantoms):
    plan = tiny_plan("individual", rounds=1)
    before = json.dumps(plan)
    simulate(plan, NAME, phantoms, done, resume=True)
    assert json.dumps(plan) == before
