import json
import shutil

import pytest

from experiments.results import collect, write_results
from tests.experiments.small_study import SITES, STRUCTURES, make_small_study

KEYS = {
    *("title", "split", "final", "made", "git_commit", "study", "dataset", "arms", "definitions", "primary", "comparisons"),
    *("non_inferiority", "estimates", "metrics", "best_models", "seed_spread", "heat_maps", "patients", "missing_structures"),
    *("left_out", "costs", "wall_clock", "learning_curves", "learning_rates", "advice", "worst_cases", "not_done"),
    *("answer", "against_individual", "sensitivity", "never_learned"),
}


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_all_that_a_report_needs_is_there(small_results):
    assert set(small_results) == KEYS
    empty = {key for key, value in small_results.items() if value in ([], {}, None)}
    assert empty <= {"sensitivity", "not_done", "git_commit"}


def test_the_file_is_strict_json_and_reads_back_the_same(small_results, tmp_path):
    target = write_results(small_results, tmp_path / "results.json")
    assert json.loads(target.read_text(encoding="utf-8"), parse_constant=refuse) == small_results
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_the_dataset_is_counted_by_site_structure_and_split(small_results):
    sites = small_results["dataset"]["sites"]
    assert {site: facts["cases"]["valid"] for site, facts in sites.items()} == SITES
    assert sites["site_b"]["contoured"]["Esophagus"] == {"train": 0, "valid": 0, "test": 0}
    assert sites["site_a"]["contoured"]["Parotid_L"] == {"train": 5, "valid": 5, "test": 5}


def test_without_the_data_the_scored_patients_are_counted(small_results, results_without_data):
    sites = results_without_data["dataset"]["sites"]
    for site, facts in small_results["dataset"]["sites"].items():
        assert sites[site]["cases"] == {"valid": facts["cases"]["valid"]}
        assert sites[site]["contoured"] == {name: {"valid": facts["contoured"][name]["valid"]} for name in STRUCTURES}


def test_the_same_folder_makes_the_same_results(small_results, results_without_data):
    others = dict.fromkeys(("made", "git_commit", "dataset"))
    assert {**results_without_data, **others} == {**small_results, **others}


def test_a_scheme_that_takes_anothers_learning_rate_says_so(small_results):
    rates = small_results["learning_rates"]
    assert rates["fedavg_without_site_c"] == {**rates["fedavg"], "learning_rate_of": "fedavg"}
    assert rates["fedavg"]["valid_dice"] == {"0.003": 0.71, "0.006": 0.7}


def test_schemes_may_have_different_numbers_of_seeds(tmp_path):
    study = make_small_study(tmp_path / "study")
    (study / "scores" / "valid" / "fedavg" / "seed_1.jsonl").unlink()
    shutil.rmtree(study / "train" / "fedavg" / "seed_1")
    results = collect(study, None, "valid", num_resamples=500)
    assert results["not_done"] == ["fedavg seed 1"]
    assert {arm["name"]: arm["seeds"] for arm in results["arms"]}["fedavg_local"] == [0]
    spread = {row["scheme"]: row["standard_deviation"] for row in results["seed_spread"] if row["weighting"] == "macro"}
    assert spread["fedavg"] is None
    assert spread["gossip"] > 0


def test_a_final_study_without_a_hypothesis_confirms_none(tmp_path):
    choices = {"hypothesis": None, "comparisons": [], "advice": []}
    study = make_small_study(tmp_path / "study", seeds=(0,), splits=("test",), **choices)
    results = collect(study, None, "test", num_resamples=500)
    assert (results["split"], results["final"]) == ("test", True)
    assert (results["primary"], results["comparisons"], results["advice"]) == (None, [], [])
    assert results["answer"][0].startswith("No hypothesis was written down")


def test_a_study_of_one_arm_has_nothing_to_compare_and_is_shown(tmp_path):
    study = make_small_study(tmp_path / "study", seeds=(0,), data="/a/folder")
    for scheme in ("pooled", "fedavg", "gossip", "fedavg_without_site_c"):
        shutil.rmtree(study / "scores" / "valid" / scheme)
        shutil.rmtree(study / "train" / scheme)
    results = collect(study, None, "valid", num_resamples=500)
    assert [arm["name"] for arm in results["arms"]] == ["individual"]
    assert (results["comparisons"], results["against_individual"], results["advice"]) == ([], [], [])
    assert results["worst_cases"][0]["arm"] == "individual"
    assert "/a/folder" not in json.dumps(results)  # results travel


@pytest.mark.parametrize("measure", ["hd95_mm", "surface_dice", "absolute_relative_volume_difference", "dice"])
def test_every_measure_is_defined(small_results, measure):
    assert small_results["definitions"][measure].endswith(".")
