"""The same words about several patients are one group, with the numbers that they share."""

from hypothesis import given
from hypothesis import strategies as st

from data_prep.conversion.grouping import group


def test_same_words_with_other_numbers_are_one_group():
    (one,) = group([("a", "file_0001: 12.5 cm³ above 50 cm³"), ("b", "file_0002: 9 cm³ above 50 cm³")])
    assert (one.text, one.cases) == ("file_…: … cm³ above 50 cm³", ("a", "b"))


def test_a_patient_counts_once_in_a_group():
    (one,) = group([("a", "ROI 1 is empty"), ("a", "ROI 2 is empty")])
    assert one.cases == ("a",)


def test_most_patients_come_first():
    rows = group([("a", "rare"), ("a", "often"), ("b", "often")])
    assert [row.text for row in rows] == ["often", "rare"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("ab 0123.,", max_size=8)), max_size=12))
def test_every_line_is_in_a_group(lines):
    rows = group(lines)
    assert {case for row in rows for case in row.cases} == {case for case, _ in lines}
    assert len({row.text for row in rows}) <= len({text for _, text in lines})
