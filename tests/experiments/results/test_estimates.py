from collections import defaultdict
from statistics import fmean

import pytest

from experiments.compare.outcome import own_site_dice
from tests.experiments.results.rewriting import read_lines


def overall(rows, scheme, weighting="macro", structure=None):
    (row,) = [
        row
        for row in rows
        if (row["scheme"], row["weighting"], row["site"], row["structure"]) == (scheme, weighting, None, structure)
    ]
    return row


def by_hand(rows):
    """The macro mean of rows: seeds, then patients of a site and structure, then structures, then sites."""
    cells = defaultdict(list)
    for row in rows:
        if row["dice"] is not None:
            cells[row["patient_site"], row["structure"], row["patient"]].append(row["dice"])
    groups = defaultdict(list)
    for (site, structure, _), values in cells.items():
        groups[site, structure].append(fmean(values))
    sites = defaultdict(list)
    for (site, _), values in groups.items():
        sites[site].append(fmean(values))
    return fmean(fmean(values) for values in sites.values())


@pytest.mark.parametrize("arm", ["individual", "gossip", "fedavg"])
def test_dice_of_each_sites_own_patients_is_the_macro_mean_of_the_last_models(small_study, small_results, arm):
    rows = [
        row
        for row in read_lines(small_study)
        if row["arm"] == arm and row["which"] == "last" and row["model_site"] in (None, row["patient_site"])
    ]
    found = overall(small_results["estimates"]["own_site"], arm)
    assert found["value"] == pytest.approx(by_hand(rows), abs=1e-12)
    assert found["counts"]["num_patients"] == 15


def test_dice_across_sites_is_that_of_the_others_models(small_study, small_results):
    values = defaultdict(list)
    for row in read_lines(small_study):
        if row["arm"] == "gossip" and row["which"] == "last" and row["model_site"] != row["patient_site"]:
            values[row["patient_site"], row["patient"], row["structure"], row["seed"]].append(row["dice"])
    means = [
        {"patient_site": site, "patient": patient, "structure": structure, "dice": None if None in dice else fmean(dice)}
        for (site, patient, structure, _), dice in values.items()
    ]
    found = overall(small_results["estimates"]["cross_site"], "gossip")
    assert found["value"] == pytest.approx(by_hand(means), abs=1e-12)


def test_another_sites_model_is_worse_and_a_shared_one_is_the_same(small_results):
    own, cross = (small_results["estimates"][view] for view in ("own_site", "cross_site"))
    assert overall(cross, "gossip")["value"] < overall(own, "gossip")["value"] - 0.03
    assert overall(cross, "pooled")["value"] == overall(own, "pooled")["value"]


def test_arms_trained_without_a_site_are_not_among_the_estimates(small_results):
    for rows in small_results["estimates"].values():
        assert {row["scheme"] for row in rows} == {
            *("individual", "pooled", "fedavg", "fedavg_local", "gossip", "gossip_consensus")
        }


def test_a_cell_of_few_patients_is_shown_without_an_interval(small_results):
    rows = [row for row in small_results["estimates"]["own_site"] if row["site"] == "site_c"]
    assert rows
    assert all(row["low"] is None and row["high"] is None for row in rows)
    assert all(row["value"] is not None for row in rows)


def test_a_model_that_never_learned_a_structure_has_no_mean_of_it(small_results):
    (row,) = [
        row
        for row in small_results["estimates"]["own_site"]
        if (row["scheme"], row["site"], row["structure"]) == ("individual", "site_b", "Esophagus")
    ]
    assert row["value"] is None
    assert (row["counts"]["num_scored"], row["counts"]["num_missing"]) == (0, 6)


def test_best_models_are_only_of_arms_that_keep_one(small_results):
    assert {row["scheme"] for row in small_results["best_models"]} == {"individual", "pooled", "gossip"}


def test_organs_without_a_distance_are_counted_and_not_taken_for_absent(small_results):
    row = overall(small_results["metrics"]["hd95_mm"]["own_site"], "individual")
    assert (row["num_missed"], row["num_invented"]) == (2, 1)
    # One organ missed with both seeds; one invented with one seed, and truly absent with the other.
    assert row["counts"]["num_undefined"] == 2
    assert row["counts"]["num_absent"] == 0
    absent = overall(small_results["metrics"]["hd95_mm"]["own_site"], "gossip")["counts"]
    assert (absent["num_undefined"], absent["num_absent"]) == (0, 1)


def test_a_missed_organ_counts_in_surface_dice_and_volume(small_results):
    for measure in ("surface_dice", "absolute_relative_volume_difference"):
        row = overall(small_results["metrics"][measure]["own_site"], "individual", structure="Parotid_L")
        assert (row["num_missed"], row["num_invented"]) == (2, 0)
        assert row["counts"]["num_undefined"] == 0
        assert row["counts"]["num_scored"] == 14


def test_the_table_of_a_comparison_says_the_same(small_study, small_results):
    """One mean of the same patients, computed in two places."""
    schemes = small_results["study"]["schemes"]
    printed = own_site_dice(small_study, {name: scheme["without"] for name, scheme in schemes.items()})
    # Of individual one seed alone leaves a true absence empty, so the mean of its seeds' means is not that of its patients.
    for arm in ("pooled", "fedavg", "fedavg_local", "gossip", "gossip_consensus"):
        found = overall(small_results["estimates"]["own_site"], arm)["value"]
        assert fmean(printed[arm].values()) == pytest.approx(found, abs=1e-12)
