"""One RTSTRUCT of a patient is converted: the same one whatever the order, and the others are told."""

from itertools import permutations

import pytest

from src.dicom.choice import Candidate, choose
from src.dicom.pairing import Pairing
from src.errors import DicomError
from tests.src.dicom.structure_set_files import a_header, a_patient, a_series

ONE, TWO, THREE = a_series(1), a_series(2), a_series(3)


def candidate(label: str, num_masks: int, series=ONE, *, refers_to_it: bool = True, **header) -> Candidate:
    pairing = Pairing(series=series, structure_set=a_header(label=label, **header), refers_to_it=refers_to_it)
    return Candidate(pairing=pairing, num_masks=num_masks)


# Best first; each is better than the next by one rule, though the rules that follow say otherwise.
BY_RULE = [
    candidate("file_10000", 4, approved=False, drawn_at="", num_rois=4),
    candidate("file_0009", 3, approved=True, drawn_at="20100101", num_rois=3),
    candidate("file_0008", 3, approved=False, drawn_at="20240102093000", num_rois=3),
    candidate("file_0007", 3, approved=False, drawn_at="20240102", num_rois=30),
    candidate("file_0006", 3, approved=False, drawn_at="", num_rois=30),
    candidate("file_0001", 3, approved=False, drawn_at="", num_rois=29),
    candidate("file_0002", 3, approved=False, drawn_at="", num_rois=29),
    candidate("file_10001", 3, approved=False, drawn_at="", num_rois=29),
]


@pytest.mark.parametrize("better", range(len(BY_RULE) - 1))
def test_each_rule_in_its_turn(better):
    for pair in permutations(BY_RULE[better : better + 2]):
        assert choose(a_patient(ONE), pair)[0] is BY_RULE[better]


def test_one_that_refers_to_its_ct_goes_before_one_in_the_same_frame_of_a_scan_that_is_not_there():
    drawn_on_it, fuller = candidate("file_0002", 3), candidate("file_0001", 8, refers_to_it=False, approved=True)
    useless = candidate("file_0003", 0)
    for order in permutations((drawn_on_it, fuller, useless)):
        chosen, notes = choose(a_patient(ONE), order)
        assert chosen is drawn_on_it
        assert notes[0].endswith("file_0001, with 8 of our structures was not converted: it does not refer to series_1 itself")
    assert choose(a_patient(ONE), (useless, fuller))[0] is fuller


def test_any_order_gives_the_same():
    expected = choose(a_patient(ONE), BY_RULE[:5])
    assert all(choose(a_patient(ONE), order) == expected for order in permutations(BY_RULE[:5]))
    assert expected[0] is BY_RULE[0]


def test_what_is_left_aside_is_told():
    candidates = [candidate("file_0012", 3), candidate("file_0013", 5), candidate("file_0014", 0, series=TWO)]
    chosen, notes = choose(a_patient(ONE, TWO, THREE), candidates)
    assert chosen is candidates[1]
    assert notes == (
        "another RTSTRUCT, file_0012, with 3 of our structures was not converted",
        "another RTSTRUCT, file_0014, with none of our structures was not converted",
        "another CT, series_2, was not converted: a case has one",
        "another CT, series_3, was not converted: no usable RTSTRUCT was drawn on it",
    )


def test_a_single_one_needs_no_note():
    only = candidate("file_0012", 3)
    assert choose(a_patient(ONE), [only]) == (only, ())


def test_none():
    with pytest.raises(DicomError, match="expected an RTSTRUCT that can be converted, found none"):
        choose(a_patient(ONE), [])
