"""Holm's correction equals worked examples, and never makes a p-value smaller."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.statistics.holm import holm


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        # The worked example of Wikipedia, "Holm–Bonferroni method": at 0.05 the first and the last are rejected.
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        # The documentation of pingouin.multicomp, method "holm".
        ([0.50, 0.003, 0.32, 0.054, 0.0003], [0.64, 0.012, 0.64, 0.162, 0.0015]),
    ],
)
def test_worked_examples(p_values, adjusted):
    assert holm(p_values) == pytest.approx(adjusted)


def test_what_was_not_tested_is_no_test():
    assert holm([0.01, None, 0.04]) == [pytest.approx(0.02), None, pytest.approx(0.04)]
    assert holm([None, None]) == [None, None]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_laws(p_values):
    adjusted = holm(p_values)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [adjusted[index] for index in order] == sorted(adjusted)
    for before, after in zip(p_values, adjusted, strict=True):
        assert before <= after <= min(1, len(p_values) * before)
    assert adjusted[order[0]] == min(1, len(p_values) * p_values[order[0]])
    assert holm(p_values[::-1]) == adjusted[::-1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.2))
def test_it_rejects_what_the_step_down_procedure_rejects(p_values, level):
    steps = sorted(p_values)
    rejected = 0
    while rejected < len(steps) and steps[rejected] * (len(steps) - rejected) < level:
        rejected += 1
    assert sum(p_value < level for p_value in holm(p_values)) == rejected
