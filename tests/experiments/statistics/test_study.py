"""Schemes and seeds are on the same patients, whatever the order of the rows; what is not there is no number."""

import dataclasses
import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.statistics.advice import advise
from experiments.statistics.estimate import estimate_all
from experiments.statistics.non_inferiority import non_inferiority
from experiments.statistics.pairs import compare_pairs
from experiments.statistics.resampling import resample
from experiments.statistics.score import ScoreTableError
from experiments.statistics.seed_spread import seed_spread
from experiments.statistics.simulation import simulated
from experiments.statistics.study import Study
from tests.experiments.statistics.score_tables import of_patients, one


def everything(scores) -> list:
    study = Study.of(scores)
    resampling = resample(study, num_resamples=50)
    return [
        *estimate_all(study, resampling),
        *compare_pairs(study, resampling),
        *advise(study, resampling, ["a", "b"]),
        non_inferiority(study, resampling, "b", "a"),
        seed_spread(study, "a"),
    ]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_changes_nothing(seed):
    scores = simulated(np.random.default_rng(seed), 0.0, sizes=(6, 1, 3))
    shuffled = random.Random(seed).sample(scores, len(scores))
    assert everything(shuffled) == everything(scores)


def test_every_result_is_json():
    scores = simulated(np.random.default_rng(0), 0.0, sizes=(6, 1, 3), contoured=0.3)
    plain = [dataclasses.asdict(result) for result in everything(scores)]
    assert json.loads(json.dumps(plain, allow_nan=False))[0]["scheme"] == "a"


def test_seeds_are_averaged_within_a_patient():
    scores = [one("a", value, seed=seed) for seed, value in enumerate([0.6, 0.7, 0.8])]
    study = Study.of(scores)
    assert study.series("a").values_PK == pytest.approx(np.array([[0.7]]))
    assert study.series("a", seed=2).values_PK == pytest.approx(np.array([[0.8]]))


def test_an_absence_that_one_seed_drew_is_zero_and_one_that_none_drew_is_no_number():
    scores = [one("a", math.nan, seed=0), one("a", 0.0, seed=1), one("b", math.nan, seed=0), one("b", math.nan, seed=1)]
    study = Study.of(scores)
    assert study.series("a").values_PK == np.array([[0.0]])
    assert np.isnan(study.series("b").values_PK).all()
    assert study.series("b").has_score_PK.all()


def test_equal_pseudonyms_of_two_sites_are_two_patients():
    study = Study.of([one("a", 0.5, site="site_a"), one("a", 0.7, site="site_b")])
    assert study.patients == (("site_a", "p0"), ("site_b", "p0"))


def test_schemes_may_have_different_seeds():
    study = Study.of([one("a", 0.5, seed=0), one("a", 0.7, seed=1), one("b", 0.6, seed=5)])
    assert study.seeds == {"a": (0, 1), "b": (5,)}


def test_no_scores_are_refused():
    with pytest.raises(ScoreTableError, match="found none"):
        Study.of([])


def test_seeds_with_different_patients_are_refused():
    scores = [*of_patients({"a": [0.5, 0.6]}), one("a", 0.5, patient="p00", seed=1)]
    with pytest.raises(ScoreTableError, match=r"every seed of a, found site_a/p01/Brainstem for only one of seeds 0 and 1"):
        Study.of(scores)


def test_seeds_with_different_structures_are_refused():
    scores = [one("a", 0.5), one("a", 0.5, seed=1), one("a", 0.5, seed=1, structure="Larynx")]
    with pytest.raises(ScoreTableError, match="site_a/p0/Larynx"):
        Study.of(scores)


def test_schemes_with_different_patients_are_refused():
    with pytest.raises(ScoreTableError, match="site_a/p02 for only one of a and b"):
        Study.of(of_patients({"a": [0.5, 0.6, 0.7], "b": [0.5, 0.6]}))


def test_a_scheme_that_never_learned_a_structure_is_not_refused():
    scores = [one("a", 0.5), one("b", 0.6), one("b", 0.9, structure="Larynx")]
    study = Study.of(scores)
    assert study.series("a").has_score_PK.tolist() == [[True, False]]
    assert np.isnan(study.series("b").less(study.series("a")).values_PK[0, 1])


@pytest.mark.parametrize(("scheme", "seed"), [("c", None), ("a", 7)])
def test_an_unknown_scheme_or_seed_is_refused(scheme, seed):
    with pytest.raises(ScoreTableError, match=r"expected a scheme and seed of a \(seeds 0\)"):
        Study.of([one("a", 0.5)]).series(scheme, seed)
