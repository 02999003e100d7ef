from statistics import fmean

import pytest

from experiments.results.worst_cases import worst_cases
from tests.experiments.results.rewriting import read_lines


def only(rows, **wanted):
    (row,) = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return row


def test_seeds_are_averaged_within_a_patient(small_study, small_results):
    place = {"arm": "gossip", "patient_site": "site_a", "patient": "a_valid_1", "structure": "Brainstem"}
    found = only(small_results["patients"], **place)
    rows = [
        row
        for row in read_lines(small_study)
        if all(row[key] == value for key, value in place.items()) and row["which"] == "last" and row["model_site"] == "site_a"
    ]
    assert len(rows) == 2
    for measure in ("dice", "hd95_mm", "surface_dice", "relative_volume_difference"):
        assert found[measure] == pytest.approx(fmean(row[measure] for row in rows), abs=1e-12)
    assert found["statuses"] == {"compared": 2}


def test_absent_missed_and_invented_organs_are_told_apart(small_results):
    esophagus = {"patient": "a_valid_2", "structure": "Esophagus"}
    absent = only(small_results["patients"], arm="gossip", **esophagus)
    assert (absent["dice"], absent["hd95_mm"], absent["statuses"]) == (None, None, {"both empty": 2})
    once = only(small_results["patients"], arm="individual", **esophagus)
    assert (once["dice"], once["statuses"]) == (0.0, {"both empty": 1, "invented": 1})
    missed = only(small_results["patients"], arm="individual", patient="c_valid_0", structure="Parotid_L")
    assert (missed["dice"], missed["hd95_mm"], missed["relative_volume_difference"]) == (0.0, None, -1.0)


def test_what_is_not_contoured_or_was_never_learned_has_no_row(small_results):
    cells = {(row["arm"], row["patient"], row["structure"]) for row in small_results["patients"]}
    assert ("gossip", "a_valid_0", "Brainstem") in cells
    assert not {cell for cell in cells if cell[1:] == ("a_valid_0", "Parotid_L")}
    assert not {cell for cell in cells if cell[1].startswith("b_") and cell[2] == "Esophagus"}


def test_worst_cases_are_the_lowest_and_then_the_largest_disagreements(small_results):
    rows = worst_cases(small_results["patients"], "gossip", num_cases=2)
    gossip = sorted(row["dice"] for row in small_results["patients"] if row["arm"] == "gossip" and row["dice"] is not None)
    assert [row["dice"] for row in rows[:2]] == gossip[:2]
    first = rows[2]
    # The parotid that training alone missed; the esophagus that is not there has a Dice of 0 from two arms only.
    assert (first["patient"], first["structure"], first["arm"], first["dice"]) == ("c_valid_0", "Parotid_L", "individual", 0.0)
    assert first["best_dice"] > 0.7
    assert len({(row["patient"], row["structure"]) for row in rows}) == len(rows)


def test_a_study_without_any_scored_patient_has_no_worst_case():
    assert worst_cases([], "gossip") == []
