import json

import pytest

from experiments.scoring.listed_models import read_listed_models
from src.errors import ModelCardError
from tests.experiments.scoring.runs import entry


@pytest.fixture
def run(tmp_path):
    for site in ("site_a", "site_b"):
        (tmp_path / "save" / site).mkdir(parents=True)
        (tmp_path / "save" / site / "last.safetensors").write_bytes(b"x")
    (tmp_path / "save" / "notes.txt").write_bytes(b"x")
    return tmp_path


def read(run, content):
    (run / "models.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return read_listed_models(run)


def test_models_come_in_the_order_of_the_file(run):
    rows = [entry("b", "site_b"), entry("a", "site_a"), entry("a", None, path="save/site_a/last.safetensors")]
    assert [(model.arm, model.model_site) for model in read(run, rows)] == [("b", "site_b"), ("a", "site_a"), ("a", None)]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        [],
        {},
        ["site_a"],
        [{**entry("a", "site_a"), "more": 1}],
        [{name: value for name, value in entry("a", "site_a").items() if name != "which"}],
        [entry("", "site_a")],
        [entry("a", 7, path="save/site_a/last.safetensors")],
        [entry("a", "site_a", "first", "save/site_a/last.safetensors")],
        [entry("a", "site_a", "best")],
        [entry("a", "site_a", path="/etc/x.safetensors")],
        [entry("a", "site_a", path="save/../../x.safetensors")],
        [entry("a", "site_a", path="save/notes.txt")],
        [entry("a", "site_a"), entry("a", "site_a", path="save/site_b/last.safetensors")],
    ],
)
def test_a_list_that_is_none_is_refused(run, content):
    with pytest.raises(ModelCardError, match=r"models\.json"):
        read(run, content)


def test_a_run_without_a_list_is_refused(run):
    with pytest.raises(ModelCardError, match="train the run again"):
        read_listed_models(run)


def test_whose_patients_a_model_is_for(run):
    rows = [entry("a", "site_a"), entry("a", None, path="save/site_a/last.safetensors")]
    rows += [{**row, "which": "best"} for row in rows]
    last, shared, best, shared_best = read(run, rows)
    sites = ["site_a", "site_b"]
    for own_only in (False, True):
        for model, expected in (
            (last, sites[:1] if own_only else sites),
            (shared, sites),
            (best, sites[:1]),
            (shared_best, sites),
        ):
            assert model.patient_sites(sites, own_site_only=own_only) == expected
