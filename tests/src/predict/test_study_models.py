"""Each structure by the model that a study's report advises; a file that is no report is refused."""

import json
from dataclasses import fields

import pytest

from experiments.statistics.advice import Advice
from src.errors import ModelCardError
from src.predict.__main__ import main
from src.predict.advice import read_advice
from src.predict.open_model import open_model
from src.predict.study_models import StudyModels, choose_advised
from tests.conftest import SPHERE_STRUCTURES
from tests.src.predict.small_models import write_small_model

LEFT, RIGHT, STEM = SPHERE_STRUCTURES
CANDIDATES = ["individual", "gossip", "fedavg"]


def row(structure: str, verdict: str, *use: str, site="site_a", means=("fedavg", "gossip", "individual")) -> dict:
    """With every field that a report writes."""
    facts = {"site": site, "structure": structure, "verdict": verdict, "use": list(use), "means": dict.fromkeys(means, 0.5)}
    return dict.fromkeys((field.name for field in fields(Advice)), None) | facts


def write_results(path, *rows: dict, **changes):
    content = {"final": False, "study": {"advice": CANDIDATES}, "advice": list(rows), "answer": ["words"]}
    path.write_text(json.dumps(content | changes))
    return path


@pytest.fixture
def study(tmp_path):
    """Two seeds of gossip, one run of fedavg with a shared model, and individual models that never learned the brainstem."""
    folder = tmp_path / "study"
    for scheme, seed, site, trained in (
        ("individual", 0, "site_a", (LEFT, RIGHT)),
        ("gossip", 10, "site_a", SPHERE_STRUCTURES),
        ("gossip", 9, "site_a", SPHERE_STRUCTURES),
        ("fedavg", 0, None, SPHERE_STRUCTURES),
    ):
        run = folder / "train" / scheme / f"seed_{seed}"
        path = f"save/{site or 'aggregator'}/last.safetensors"
        write_small_model(run / path, draw=len(scheme) + seed, trained_structures=tuple(trained))
        rows = [{"arm": scheme, "model_site": site, "which": which, "path": path} for which in ("best", "last")]
        (run / "models.json").write_text(json.dumps([*rows, {**rows[1], "model_site": "site_b", "path": "other.safetensors"}]))
    return folder


def choose(study, results, wanted=()):
    def open_one(path):
        return open_model(path, overlap=0.25, precision="float32")

    return choose_advised(read_advice(results, "site_a"), StudyModels.find(study, "site_a"), wanted, open_one)


def test_the_advised_scheme_draws_and_without_a_difference_the_simplest(study, tmp_path):
    results = write_results(
        tmp_path / "results.json",
        row(LEFT, "use this one", "fedavg"),
        row(RIGHT, "no difference shown", "gossip", "fedavg", "individual"),
        row(STEM, "too few patients"),
        row(STEM, "use this one", "fedavg", site="site_b"),
    )
    choice = choose(study, results)
    assert {one.structure: one.models[0].name for one in choice.drawn} == {
        LEFT: "aggregator/last.safetensors",
        RIGHT: "site_a/last.safetensors",
        STEM: "site_a/last.safetensors",
    }
    why = {one.structure: one.why for one in choice.drawn}
    assert why[LEFT] == "fedavg: the report says 'use this one' on validation patients"
    assert why[RIGHT].startswith("individual: the report says 'no difference shown'") and "simplest" in why[RIGHT]
    assert why[STEM].startswith("gossip: the report says 'too few patients'")  # the individual model never learned it
    (stem,) = (one.models[0] for one in choice.drawn if one.structure == STEM)
    seed_9 = open_model(study / "train/gossip/seed_9/save/site_a/last.safetensors", overlap=0.25, precision="float32")
    assert stem.sha256 == seed_9.sha256  # the first of two seeds, by number


def test_the_command_draws_what_is_advised(study, tmp_path, sphere_dataset):
    results = write_results(tmp_path / "results.json", row(LEFT, "use this one", "fedavg"), row(STEM, "too few patients"))
    advised = ("--advice", results, "--study", study, "--site", "site_a", "--precision", "float32")
    given = (*advised, "--input", sphere_dataset.path, "--only", "site_a_00", "--output", tmp_path / "out")
    assert main([str(argument) for argument in given]) == 0
    content = json.loads((tmp_path / "out/site_a_00/prediction.json").read_text())
    assert set(content["volumes_cm3"]) == {LEFT, STEM} and len(content["models"]) == 2
    assert content["chosen_because"][LEFT].startswith("fedavg: the report says 'use this one'")


def test_what_no_advised_model_was_trained_for_is_told_and_refused_where_it_is_wanted(study, tmp_path):
    results = write_results(
        tmp_path / "results.json", row(STEM, "use this one", "individual"), row(LEFT, "use this one", "individual")
    )
    choice = choose(study, results)
    assert choice.not_drawn == {STEM: "no model of individual in the study was trained for it"}
    with pytest.raises(ModelCardError, match="found 'Brainstem'; there are Parotid_L"):
        choose(study, results, [STEM])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"{", "is not JSON"),
        (b"[]", "another kind of file"),
        (b'{"final": false, "study": {"advice": ["a"]}, "advice": []}', "no advice in it"),
        (b'{"final": false, "study": {"advice": ["a"]}, "advice": [{"site": "site_a"}]}', "another kind of file"),
        (b'{"final": false, "final": true, "study": {}, "advice": []}', "twice"),
    ],
)
def test_a_file_that_is_no_report_is_refused(tmp_path, content, what):
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(ModelCardError, match=what):
        read_advice(tmp_path / "results.json", "site_a")


def test_a_site_without_advice_and_a_folder_without_models_are_refused(tmp_path, study):
    results = write_results(tmp_path / "results.json", row(LEFT, "use this one", "gossip"))
    with pytest.raises(ModelCardError, match="found it for site_a"):
        read_advice(results, "site_z")
    with pytest.raises(ModelCardError, match="--study"):
        StudyModels.find(tmp_path / "study" / "train" / "gossip", "site_a")


def test_a_path_out_of_the_run_is_refused(study):
    listing = study / "train/fedavg/seed_0/models.json"
    listing.write_text(json.dumps([{"arm": "a", "model_site": None, "which": "last", "path": "../../m.safetensors"}]))
    with pytest.raises(ModelCardError, match=r"fedavg/seed_0/models\.json"):
        StudyModels.find(study, "site_a")
