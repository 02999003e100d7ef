"""Counts add up, and what has to be decided can be pasted into names.csv."""

import pytest

from data_prep.conversion.outcome import WITH_ITS_CASE
from data_prep.conversion.overview import names_csv_line, overview_of
from data_prep.csv_file import read_csv
from tests.data_prep.conversion.made_up_outcomes import converted, many, refused, roi


def test_no_outcome_is_an_empty_overview():
    overview = overview_of([])
    assert not any(vars(overview).values())


def test_counts_add_up():
    outcomes = many(200)
    overview = overview_of(outcomes)
    assert len(overview.converted) + len(overview.refused) == 200
    assert [row.name for row in overview.structures] == ["Brainstem", "SpinalCord", "Parotid_L", "Parotid_R"]
    masks = sum(one.decision == "converted" for outcome in outcomes for one in outcome.rois)
    assert sum(len(row.cases) for row in overview.structures) == masks
    assert sum(len(row.cases) for row in overview.refused_patients) == len(overview.refused)
    (name,) = overview.undecided
    assert len(name.cases) == sum(one.decision == "undecided" for outcome in outcomes for one in outcome.rois)


def test_volumes_are_of_converted_patients_alone():
    outcomes = [converted(n, roi(volume_cm3=volume)) for n, volume in enumerate((30.0, 10.0, 26.0))]
    outcomes += [converted(3, roi(volume_cm3=None)), refused(4, rois=[roi(volume_cm3=900.0)])]
    (row,) = overview_of(outcomes).structures
    assert (row.median_cm3, row.smallest_cm3, row.largest_cm3) == (26.0, 10.0, 30.0)
    assert (row.smallest_case, row.largest_case) == ("north_001", "north_000")
    assert row.cases == ("north_000", "north_001", "north_002", "north_003")


def test_a_structure_without_any_volume_has_none():
    (row,) = overview_of([converted(1, roi(volume_cm3=None))]).structures
    assert (row.median_cm3, row.smallest_cm3, row.smallest_case) == (None, None, None)


def test_spellings_that_names_csv_takes_for_one_get_one_line():
    outcomes = [converted(n, roi(name, None, "undecided", "unknown")) for n, name in enumerate(("My Organ", "MY ORGAN"))]
    (name,) = overview_of(outcomes).undecided
    assert (name.spellings, name.cases, name.line) == (("My Organ", "MY ORGAN"), ("north_000", "north_001"), "My Organ,?")


def test_names_of_refused_patients_are_to_be_decided_too():
    outcome = refused(1, rois=[roi("Kehle", None, "undecided", "unknown")])
    assert overview_of([outcome]).undecided[0].line == "Kehle,?"


def test_a_patient_refused_as_a_whole_hides_no_refused_roi():
    lost = [roi(name, None, "refused", WITH_ITS_CASE) for name in ("Cord", "Parotis", "Larynx")]
    outcomes = [refused(1, rois=lost), converted(2, roi("Myelon", None, "refused", "it lies outside the CT"))]
    assert [group.text for group in overview_of(outcomes).refused_rois] == ["Myelon: it lies outside the CT"]


@pytest.mark.parametrize("native", ["Cord, left", 'say "a"', "=1+1", "Ωmega", "line\nbreak", ""])
def test_the_line_for_names_csv_is_read_as_the_name(native, tmp_path):
    path = tmp_path / "names.csv"
    path.write_text(f"native,tg263\n{names_csv_line(native)}\n", encoding="utf-8")
    assert read_csv(path, ("native", "tg263")) == [{"native": native, "tg263": "?"}]
