"""Every patient and structure is counted once: scored, absent or missing."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.statistics.counts import Counts, count
from experiments.statistics.simulation import simulated
from experiments.statistics.study import Study
from tests.experiments.statistics.score_tables import one

SCORES = [
    one("a", 0.8, patient="p0"),
    one("a", 0.7, patient="p0", structure="Larynx"),
    one("a", 0.6, patient="p1"),
    one("a", math.nan, patient="p1", structure="Larynx"),
    one("a", 0.5, patient="p2"),
    one("a", math.nan, patient="p0", site="site_b"),
]


def test_counts_by_hand():
    assert count(Study.of(SCORES).series("a")) == Counts(
        num_sites=1, num_patients=3, num_incomplete=2, num_unscored=1, num_scored=4, num_absent=2, num_missing=2
    )


def test_a_difference_counts_what_both_schemes_have():
    drawn = [one("b", 0.0 if math.isnan(s.value) else s.value, **_place(s)) for s in SCORES if s.patient != "p2"]
    study = Study.of([*SCORES, *drawn, one("b", 0.4, patient="p2", structure="Larynx")])
    found = count(study.series("b").less(study.series("a")))
    assert (found.num_scored, found.num_absent, found.num_missing) == (3, 2, 3)
    assert (found.num_patients, found.num_unscored) == (2, 2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 1))
def test_nothing_is_counted_twice_or_lost(seed, contoured):
    series = Study.of(simulated(np.random.default_rng(seed), 0.0, sizes=(4, 2), contoured=contoured)).series("a")
    found = count(series)
    assert found.num_scored + found.num_absent + found.num_missing == series.values_PK.size
    assert found.num_patients + found.num_unscored == 6
    assert found.num_incomplete <= found.num_patients


def _place(score) -> dict:
    return {"patient": score.patient, "site": score.patient_site, "structure": score.structure}
