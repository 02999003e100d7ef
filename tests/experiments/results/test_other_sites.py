"""Models on other sites' patients: heat maps, missing structures, and sites that were left out."""

from statistics import fmean

import pytest

from experiments.results import collect
from experiments.results.heat_maps import heat_maps
from experiments.results.missing_structures import missing_structures
from experiments.results.scored_study import read_scored_study
from tests.experiments.results.rewriting import keep_rows, read_lines
from tests.experiments.small_study import SITES, make_small_study


def test_a_heat_map_has_a_row_for_each_model(small_results):
    heat_map = small_results["heat_maps"]["gossip"]
    assert heat_map["model_sites"] == heat_map["patient_sites"] == sorted(SITES)
    for row, model_site in enumerate(heat_map["model_sites"]):
        own = heat_map["dice"][row][heat_map["patient_sites"].index(model_site)]
        column = [values[row] for values in heat_map["dice"]]
        assert own == max(column)  # the study makes other sites' models 0.05 worse
    assert heat_map["num_patients"] == [list(SITES.values())] * 3


def test_a_shared_model_has_one_row(small_results):
    heat_map = small_results["heat_maps"]["pooled"]
    assert heat_map["model_sites"] == ["all sites"]
    assert len(heat_map["dice"]) == len(heat_map["num_patients"]) == 1


def test_the_heat_map_of_a_scheme_without_a_site_has_no_model_of_it_but_its_patients(small_results):
    heat_map = small_results["heat_maps"]["fedavg_without_site_c_local"]
    assert heat_map["model_sites"] == ["site_a", "site_b"]
    assert heat_map["patient_sites"] == ["site_a", "site_b", "site_c"]


def test_structures_that_a_site_never_trained_are_tried_on_the_others_patients(small_study, small_results):
    rows = {row["arm"]: row for row in small_results["missing_structures"]}
    assert len(rows) == len(small_results["missing_structures"]) == 6
    assert {(row["site"], row["structure"]) for row in rows.values()} == {("site_b", "Esophagus")}
    assert rows["individual"] == {
        **{"site": "site_b", "structure": "Esophagus", "arm": "individual", "dice": None},
        **{"num_patients": 0, "num_patient_sites": 0, "outcome": "not predicted"},
    }
    tried = [
        row
        for row in read_lines(small_study)
        if (row["arm"], row["which"], row["model_site"], row["structure"]) == ("gossip", "last", "site_b", "Esophagus")
    ]
    by_site = {
        site: [row["dice"] for row in tried if row["patient_site"] == site and row["dice"] is not None] for site in SITES
    }
    assert rows["gossip"]["dice"] == pytest.approx(fmean(fmean(values) for values in by_site.values() if values), abs=1e-12)
    assert (rows["gossip"]["num_patients"], rows["gossip"]["num_patient_sites"]) == (8, 2)  # one is a true absence


def test_what_one_seed_alone_learned_is_no_obstacle_and_is_said(tmp_path):
    """A site's completion may be undone with one seed and not with the next."""
    study = make_small_study(tmp_path / "study")
    unlearned = {"arm": "gossip", "seed": 1, "model_site": "site_b", "structure": "Esophagus"}
    keep_rows(study, lambda row: any(row[key] != value for key, value in unlearned.items()))
    scored = read_scored_study(study, "valid")
    heat_map = heat_maps(scored)["gossip"]
    learned = [
        row["dice"]
        for row in read_lines(study)
        if (row["arm"], row["which"], row["model_site"], row["patient_site"]) == ("gossip", "last", "site_b", "site_c")
        and row["structure"] != "Esophagus"
    ]
    assert heat_map["dice"][1][2] == pytest.approx(fmean(learned), abs=1e-12)
    sites = {site: {"contoured": {"Esophagus": {"train": int(site != "site_b")}}} for site in SITES}
    (row,) = [row for row in missing_structures(scored, sites) if row["arm"] == "gossip" and row["structure"] == "Esophagus"]
    assert row["outcome"] == "predicted with 1 of 2 seeds" and row["num_patients"] == 8


def test_without_the_data_the_scored_patients_say_what_a_site_never_trained(small_results, results_without_data):
    assert results_without_data["missing_structures"] == small_results["missing_structures"]


def test_models_scored_at_home_alone_are_not_said_to_predict_nothing(tmp_path):
    study = make_small_study(tmp_path / "study", seeds=(0,))
    keep_rows(study, lambda row: row["model_site"] in (None, row["patient_site"]))
    results = collect(study, None, "valid", num_resamples=500)
    outcomes = {row["arm"]: row["outcome"] for row in results["missing_structures"]}
    assert outcomes["individual"] == outcomes["gossip"] == "not scored on other sites"
    assert outcomes["fedavg"] == "predicted"
    assert results["estimates"]["cross_site"] == []
    gossip = results["heat_maps"]["gossip"]
    assert [gossip["num_patients"][row][column] > 0 for row in range(3) for column in range(3)] == [
        row == column for row in range(3) for column in range(3)
    ]


def test_a_site_that_took_no_part_is_scored_with_what_the_others_made(small_study, small_results):
    shared, others = small_results["left_out"]
    assert (shared["arm"], shared["site"], shared["view"]) == ("fedavg_without_site_c", "site_c", "shared")
    assert (others["arm"], others["view"]) == ("fedavg_without_site_c_local", "mean of the others' models")
    scores = read_scored_study(small_study, "valid").scores(arms=[shared["arm"]])
    by_structure = {}
    for score in scores:
        if score.patient_site == "site_c":
            by_structure.setdefault(score.structure, []).append(score.value)
    assert shared["dice"] == pytest.approx(fmean(fmean(values) for values in by_structure.values()), abs=1e-12)
    assert shared["num_patients"] == others["num_patients"] == 3
    assert shared["low"] is None  # three patients are shown without an interval
