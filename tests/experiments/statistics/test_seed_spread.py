"""The spread of the seeds is that of their macro means, not of the patients."""

import math

import pytest

from experiments.statistics.seed_spread import seed_spread
from experiments.statistics.study import Study
from tests.experiments.statistics.score_tables import one


def test_three_seeds_by_hand():
    scores = [
        one("a", value, seed=seed, patient=patient)
        for seed, values in enumerate([(0.2, 0.8), (0.3, 0.9), (0.4, 1.0)])
        for patient, value in zip(("p0", "p1"), values, strict=True)
    ]
    found = seed_spread(Study.of(scores), "a")
    assert found.means == pytest.approx({0: 0.5, 1: 0.6, 2: 0.7})
    assert found.standard_deviation == pytest.approx(0.1)


def test_one_seed_has_no_spread():
    assert seed_spread(Study.of([one("a", 0.5)]), "a").standard_deviation is None


def test_seeds_without_a_number_have_no_mean():
    found = seed_spread(Study.of([one("a", math.nan), one("a", math.nan, seed=1)]), "a")
    assert found.means == {0: None, 1: None}
    assert found.standard_deviation is None
