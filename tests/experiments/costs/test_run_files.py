"""Reading a study: finished runs only, in the study's order, and nothing half there."""

import json

import pytest

from experiments.costs.run_files import read_runs
from experiments.study_folder import StudyFolderError
from src.errors import FederationError
from tests.experiments.small_study import LOCAL_ROUNDS, ROUNDS, SITES, make_small_study


@pytest.fixture
def study(tmp_path):
    return make_small_study(tmp_path / "study", seeds=(10, 2))


def test_the_order_is_the_studys_and_then_the_seeds_by_number(study):
    runs = read_runs(study)
    schemes = ["individual", "pooled", "fedavg", "gossip", "fedavg_without_site_c"]
    assert [(run.scheme, run.seed) for run in runs] == [(scheme, seed) for scheme in schemes for seed in (2, 10)]


def test_the_kind_and_the_schedule_are_those_of_the_plan(study):
    runs = {run.scheme: run for run in read_runs(study)}
    assert {name: run.kind for name, run in runs.items()} == {
        **{name: name for name in ("individual", "pooled", "fedavg", "gossip")},
        "fedavg_without_site_c": "fedavg",
    }
    assert {run.rounds for run in runs.values()} == {ROUNDS}
    assert runs["fedavg"].exchange_rounds == tuple(range(ROUNDS)) and runs["fedavg"].local_rounds == LOCAL_ROUNDS
    assert runs["gossip"].local_rounds == 0 and runs["gossip"].wire_dtype == "float16"
    assert runs["fedavg"].valid_cases == SITES


def test_an_unfinished_run_is_left_out(study):
    (study / "train/gossip/seed_2/done.json").unlink()
    assert [run.seed for run in read_runs(study) if run.scheme == "gossip"] == [10]


def test_what_is_not_a_study_is_refused(tmp_path):
    with pytest.raises(StudyFolderError, match=r"study\.yaml"):
        read_runs(tmp_path)


@pytest.mark.parametrize("key", ["model_bytes", "sites", "exchanges", "local_finish"])
def test_a_finished_run_without_its_costs_is_refused(study, key):
    path = study / "train/fedavg/seed_2/cost.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    del content[key]
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(FederationError, match=f"fedavg/seed_2.*{key}"):
        read_runs(study)


def test_a_site_without_steps_is_refused(study):
    path = study / "train/gossip/seed_2/cost.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["sites"]["site_b"].update(steps=0, network_steps=0)
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(FederationError, match="site_b"):
        read_runs(study)
