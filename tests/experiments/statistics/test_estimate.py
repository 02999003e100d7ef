"""A number with its interval: paired, shifted exactly, and missing where few patients could not show it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.statistics import MIN_PATIENTS
from experiments.statistics.averages import WEIGHTINGS, cells_of
from experiments.statistics.estimate import estimate, estimate_all
from experiments.statistics.resampling import resample
from experiments.statistics.score import Score, ScoreTableError
from experiments.statistics.simulation import STRUCTURES, simulated
from experiments.statistics.studentised import studentised_interval
from experiments.statistics.study import Study
from tests.experiments.statistics.score_tables import of_patients, one


def difference(scores, weighting="macro", num_resamples=200):
    study = Study.of(scores)
    return estimate(study.series("b").less(study.series("a")), resample(study, num_resamples), weighting)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), constant=st.floats(-0.5, 0.5), weighting=st.sampled_from(WEIGHTINGS))
def test_a_constant_added_to_one_scheme_shifts_its_intervals_by_it(seed, constant, weighting):
    scores = simulated(np.random.default_rng(seed), 0.0)
    moved = [one(s.scheme, s.value + constant * (s.scheme == "b"), **_place(s)) for s in scores]
    before, after = difference(scores, weighting), difference(moved, weighting)
    for name in ("value", "low", "high"):
        assert getattr(after, name) == pytest.approx(getattr(before, name) + constant, abs=1e-10)


def test_pairing_takes_the_patients_out_of_the_difference():
    generator = np.random.default_rng(0)
    base = generator.normal(0.7, 0.1, 20)
    scores = of_patients({"a": base, "b": base + 0.01 + generator.normal(0, 0.001, 20)})
    study = Study.of(scores)
    mean = estimate(study.series("b"), resample(study, 200))
    paired = difference(scores)
    assert paired.high - paired.low < 0.05 * (mean.high - mean.low)
    assert paired.low < paired.value < paired.high


def test_schemes_that_are_equal_do_not_differ():
    found = difference(of_patients({"a": [0.5, 0.6, 0.7, 0.8, 0.9], "b": [0.5, 0.6, 0.7, 0.8, 0.9]}))
    assert (found.value, found.low, found.high) == (0, 0, 0)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("size", [1, MIN_PATIENTS - 1, MIN_PATIENTS])
def test_few_patients_are_shown_without_an_interval(size, weighting):
    values = np.linspace(0.5, 0.9, size)
    found = difference(of_patients({"a": values, "b": values**2}), weighting)
    assert found.value == pytest.approx((values**2 - values).mean())
    assert found.counts.num_patients == size
    assert (found.low is not None) == (size >= MIN_PATIENTS)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_sites_of_one_patient_each_have_no_interval(weighting):
    scores = [score for site in range(6) for score in of_patients({"a": [0.5], "b": [0.5 + site / 100]}, f"site_{site}")]
    found = difference(scores, weighting)
    assert found.value == pytest.approx(0.025)
    assert found.lone_share == pytest.approx(1)
    assert found.low is found.high is None


def test_an_absence_that_only_one_scheme_drew_is_in_its_mean_and_not_in_the_difference():
    scores = of_patients({"a": [0.5, 0.6, math.nan], "b": [0.6, 0.7, 0.0]})
    study = Study.of(scores)
    assert estimate(study.series("b"), resample(study, 10)).value == pytest.approx(1.3 / 3)
    found = difference(scores)
    assert found.value == pytest.approx(0.1)
    assert (found.counts.num_scored, found.counts.num_absent) == (2, 1)


def test_nothing_scored_has_no_value():
    found = difference(of_patients({"a": [math.nan] * 6, "b": [0.0] * 6}))
    assert found.value is found.low is found.high is None
    assert found.counts.num_patients == 0


def test_the_whole_table_has_every_part_once():
    study = Study.of(simulated(np.random.default_rng(0), 0.0, sizes=(6, 3)))
    found = estimate_all(study, resample(study, 50))
    # Per scheme and pair: overall, 2 sites and 3 structures with two means each, and 6 cells with one.
    assert len(found) == 3 * (2 * (1 + 2 + 3) + 6)
    keys = {(e.scheme, e.minus, e.weighting, e.site, e.structure) for e in found}
    assert len(keys) == len(found)
    assert {structure for *_, structure in keys} == {None, *STRUCTURES}
    for e in found:
        if e.low is not None:
            assert e.low <= e.value <= e.high
        assert e.counts.num_patients >= MIN_PATIENTS or e.low is None


def test_a_site_is_resampled_as_it_is_in_the_whole_study():
    study = Study.of(simulated(np.random.default_rng(0), 0.0, sizes=(6, 9), contoured=1.0))
    resampling = resample(study, 200)
    part = study.series("a").within("site_1")
    found = estimate(part, resampling)
    cells = cells_of(study.values["a"][0, 6:], np.zeros(9, int), "macro")
    assert (found.low, found.high) == studentised_interval(cells, resampling.weights_PR[6:], resampling.level)


def test_one_site_is_its_own_macro_mean():
    study = Study.of(simulated(np.random.default_rng(0), 0.0, sizes=(9,)))
    resampling = resample(study, 200)
    whole, part = (estimate(series, resampling) for series in (study.series("a"), study.series("a").within("site_0")))
    assert (whole.value, whole.low, whole.high, whole.counts) == (part.value, part.low, part.high, part.counts)


def _place(score) -> dict:
    return {"patient": score.patient, "site": score.patient_site, "structure": score.structure}


def test_an_interval_ends_where_the_score_ends():
    values = [0.0, 0.88, 0.9, 0.91, 0.92, 0.93]  # one organ missed: the ratios alone would reach far below 0
    scores = [
        Score(scheme=scheme, seed=0, model_site=None, patient=f"p{number}", patient_site="a", structure="Larynx", value=value)
        for scheme, shift in (("one", 0.0), ("other", 0.01))
        for number, value in enumerate(abs(value - shift) for value in values)
    ]
    free, limited = Study.of(scores), Study.of(scores, (0.0, 1.0))
    resampling = resample(free, 500)
    assert estimate(free.series("one"), resampling).low < 0
    found = estimate(limited.series("one"), resampling)
    assert found.low == 0.0 and found.high <= 1.0 and found.value == estimate(free.series("one"), resampling).value
    assert limited.series("one").less(limited.series("other")).limits == (-1.0, 1.0)
    with pytest.raises(ScoreTableError, match="from 0 to"):
        Study.of(scores, (0.0, 0.5))
