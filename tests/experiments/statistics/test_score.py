"""A score is a number or a true absence."""

import math

import pytest

from experiments.statistics.score import ScoreTableError
from tests.experiments.statistics.score_tables import one


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_an_infinite_score_is_refused(value):
    with pytest.raises(ScoreTableError, match="count infinite distances apart"):
        one("a", value)


def test_a_true_absence_is_a_score():
    assert math.isnan(one("a", math.nan).value)
