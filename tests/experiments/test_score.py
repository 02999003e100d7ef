import json
import shutil

import pytest

from experiments.score import score_run, table_of
from experiments.scoring import RegistrationError
from experiments.table import render
from src.data.dataset import Dataset
from src.errors import DatasetError, ModelCardError


@pytest.fixture
def run(finished, tmp_path):
    """A run folder of one's own, without the workspaces."""
    return shutil.copytree(finished.folder, tmp_path / "run", ignore=shutil.ignore_patterns("workspaces"))


def test_scores_from_files_are_what_the_processes_reported(run, phantoms):
    target = score_run(run, phantoms, "valid")
    scores = json.loads(target.read_text())["sites"]
    reported = json.loads((run / "summary.json").read_text())["last_validation"]
    for site, event in reported.items():
        for name, value in event["dice"].items():
            found = scores[site]["structures"][name]
            assert found["mean"] == (None if value is None else pytest.approx(value, abs=1e-6)), (site, name)
            assert found["num_scored"] == event["cases"][name]
    table = render(table_of(target))
    assert "run: valid Dice of last.safetensors" in table and "Liver" in table
    assert not (run / "scored.log").exists()


def test_only_contoured_structures_of_the_asked_cases_are_scored(run, phantoms):
    scores = json.loads(score_run(run, phantoms, "test").read_text())["sites"]
    for site, score in scores.items():
        dataset = Dataset.open(phantoms / site)
        assert set(score["cases"]) == {record.name for record in dataset.cases_of("test")}
        for case, values in score["cases"].items():
            assert set(values) == set(dataset.cases[case].structures) & set(score["structures"])
            assert values


def test_each_look_at_the_test_cases_is_noted(run, phantoms, capsys):
    score_run(run, phantoms, "test")
    assert "scored before" not in capsys.readouterr().out
    score_run(run, phantoms, "test", "best")
    assert "scored before" in capsys.readouterr().out
    assert [line.split()[-1] for line in (run / "scored.log").read_text().splitlines()] == [
        "last.safetensors",
        "best.safetensors",
    ]


def test_a_run_without_models_is_refused(run, phantoms):
    shutil.rmtree(run / "save")
    with pytest.raises(ModelCardError, match="expected saved models 'last' in 'run/save', found none"):
        score_run(run, phantoms, "valid")


def test_fedavg_has_no_consensus_beside_its_model(run, phantoms):
    with pytest.raises(ModelCardError, match="expected saved models 'consensus'"):
        score_run(run, phantoms, "valid", "consensus")


def test_data_of_other_sites_are_refused(run, phantoms, tmp_path):
    shutil.copytree(phantoms / "site_a", tmp_path / "data" / "site_a")
    with pytest.raises(DatasetError, match="a model of site site_b, the data folder has no such site"):
        score_run(run, tmp_path / "data", "valid")


def test_a_damaged_model_is_refused_and_nothing_is_written(run, phantoms):
    (run / "save" / "site_b" / "last.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(ModelCardError):
        score_run(run, phantoms, "valid")
    assert not list(run.glob("scores*"))


def test_one_sites_model_can_be_scored_on_every_sites_cases(run, phantoms):
    own = json.loads(score_run(run, phantoms, "valid").read_text())["sites"]
    for site in ("site_a", "site_b"):
        (run / "save" / site / "last.safetensors").replace(run / f"{site}.safetensors")
    (run / "save" / "pooled").mkdir()
    (run / "site_a.safetensors").replace(run / "save" / "pooled" / "last.safetensors")
    everywhere = json.loads(score_run(run, phantoms, "valid", model_of="pooled").read_text())["sites"]
    assert set(everywhere) == {"site_a", "site_b"}
    assert everywhere["site_a"]["cases"] == own["site_a"]["cases"]
    with pytest.raises(ModelCardError, match="no model of 'site_c'"):
        score_run(run, phantoms, "valid", model_of="site_c")


def test_test_cases_of_a_study_have_one_way_only(tmp_path, phantoms):
    run = tmp_path / "okbp" / "train" / "gossip" / "seed_0"
    run.mkdir(parents=True)
    (tmp_path / "okbp" / "study.yaml").write_text("schemes: {gossip: {plan: gossip}}\n")
    with pytest.raises(RegistrationError, match="use `make report RUN=okbp FINAL=1`"):
        score_run(run, phantoms, "test")
    assert not list(run.iterdir())
    with pytest.raises(ModelCardError, match="expected saved models"):
        score_run(run, phantoms, "valid")
