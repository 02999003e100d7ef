"""The simulated truth is what it is said to be."""

import numpy as np
import pytest

from experiments.statistics.estimate import observed
from experiments.statistics.simulation import STRUCTURES, simulated
from experiments.statistics.study import Study


@pytest.mark.parametrize("sizes", [(900, 600, 300), (2000,)])
def test_the_true_difference(sizes):
    study = Study.of(simulated(np.random.default_rng(0), -0.02, sizes=sizes))
    assert observed(study.series("b").less(study.series("a"))) == pytest.approx(-0.02, abs=0.002)
    assert study.structures == STRUCTURES


def test_what_is_not_contoured_is_missing_and_the_first_structure_never_is():
    series = Study.of(simulated(np.random.default_rng(0), 0.0, contoured=0.0)).series("a")
    assert series.structures == STRUCTURES[:1]
    assert series.has_score_PK.all()
