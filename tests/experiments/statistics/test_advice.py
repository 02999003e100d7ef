"""A site is told to use a model only where its own patients show that it is better."""

import math

import numpy as np
import pytest

from experiments.statistics.advice import advise
from experiments.statistics.resampling import resample
from experiments.statistics.score import ScoreTableError
from experiments.statistics.study import Study
from tests.experiments.statistics.score_tables import of_patients, one

CANDIDATES = ("individual", "gossip", "fedavg")
BASE = np.array([0.61, 0.75, 0.7, 0.66, 0.72, 0.69, 0.73, 0.64, 0.71, 0.68])
AROUND = 0.002 * np.array([1, -2, 3, -4, 5, -5, 4, -3, 2, -1])


def advice_for(scores, candidates=CANDIDATES) -> dict:
    study = Study.of(scores)
    return {(found.site, found.structure): found for found in advise(study, resample(study, 100), candidates)}


def only(scores):
    return advice_for(scores)["site_a", "Brainstem"]


def test_the_one_that_is_shown_best():
    found = only(of_patients({"individual": BASE, "gossip": BASE + 0.05 + AROUND, "fedavg": BASE + 0.01 + AROUND}))
    assert (found.verdict, found.use) == ("use this one", ("gossip",))
    assert found.means["gossip"] > found.means["fedavg"] > found.means["individual"]
    assert [(pair.difference.scheme, pair.difference.minus) for pair in found.evidence] == [
        ("gossip", "fedavg"),
        ("gossip", "individual"),
        ("fedavg", "individual"),
    ]


def test_what_holds_in_one_cell_may_not_hold_over_all():
    # With 10 patients the smallest p is 2 / 2^10: times 3 pairs below 0.05, times 3 pairs in each of 9 structures not.
    same, better = of_patients(dict.fromkeys(CANDIDATES, BASE)), {}
    for name, shift in (("individual", 0 * BASE), ("gossip", 0.05 + AROUND), ("fedavg", 0.01 + AROUND)):
        better[name] = BASE + shift
    alone = only(of_patients(better))
    assert alone.use == alone.use_over_all == ("gossip",)
    others = [score for number in range(9) for score in of_patients(better, structure=f"Other_{number}")]
    found = advice_for(others)["site_a", "Other_0"]
    assert found.use == ("gossip",)
    assert found.use_over_all == ("gossip", "fedavg", "individual")
    # What has no difference at all is no test, and corrects nothing.
    equal = advice_for([*same, *of_patients(better, structure="Larynx")])
    assert equal["site_a", "Larynx"].use_over_all == ("gossip",)
    assert equal["site_a", "Brainstem"].use_over_all == equal["site_a", "Brainstem"].use


def test_two_that_are_shown_better_than_the_third():
    found = only(of_patients({"individual": BASE, "gossip": BASE + 0.05 + AROUND, "fedavg": BASE + 0.05 - AROUND[::-1]}))
    assert found.verdict == "use one of these"
    assert set(found.use) == {"gossip", "fedavg"}


def test_no_difference_shown():
    found = only(of_patients({"individual": BASE, "gossip": BASE + AROUND, "fedavg": BASE - AROUND}))
    assert found.verdict == "no difference shown"
    assert set(found.use) == set(CANDIDATES)
    assert len(found.evidence) == 3


def test_equal_models_are_no_difference_shown():
    assert only(of_patients(dict.fromkeys(CANDIDATES, BASE))).verdict == "no difference shown"


def test_a_mean_that_one_patient_carries_against_the_ranks_is_not_advised():
    base = np.linspace(0.6, 0.75, 16)
    mixed = base - np.linspace(0.01, 0.012, 16)  # most patients are a little worse, one is far better
    mixed[0] = base[0] + 0.3
    found = advice_for(of_patients({"individual": base, "gossip": mixed}), ("individual", "gossip"))["site_a", "Brainstem"]
    assert found.means["gossip"] > found.means["individual"]
    assert found.evidence[0].p_holm < 0.05
    assert found.verdict == "no difference shown"


@pytest.mark.parametrize("size", [1, 4])
def test_few_patients_are_shown_and_not_advised(size):
    values = BASE[:size]
    found = only(of_patients({"individual": values, "gossip": values + 0.2, "fedavg": values + 0.1}))
    assert (found.verdict, found.use, found.use_over_all, found.num_patients) == ("too few patients", (), (), size)
    assert found.means["gossip"] == pytest.approx(values.mean() + 0.2)
    assert all(pair.p_holm is None and pair.difference.low is None for pair in found.evidence)


def test_a_structure_that_the_site_never_drew():
    scores = of_patients(dict.fromkeys(CANDIDATES, BASE))
    scores += of_patients(dict.fromkeys(CANDIDATES, BASE), "site_b", "Larynx")
    found = advice_for(scores)["site_a", "Larynx"]
    assert (found.verdict, found.num_patients, found.means) == ("nothing to compare", 0, {})
    assert found.without_scores == CANDIDATES


def test_a_model_that_never_learned_the_structure_is_named_and_the_others_compared():
    scores = of_patients(dict.fromkeys(CANDIDATES, BASE))
    scores += of_patients({"gossip": BASE + 0.05 + AROUND, "fedavg": BASE}, structure="Larynx")
    found = advice_for(scores)["site_a", "Larynx"]
    assert found.without_scores == ("individual",)
    assert (found.verdict, found.use) == ("use this one", ("gossip",))


def test_means_are_of_the_patients_that_every_candidate_has():
    gossip = BASE + 0.05 + AROUND
    gossip[0] = math.nan
    individual = BASE.copy()
    individual[0] = 0.0  # drew what is not there
    found = only(of_patients({"individual": individual, "gossip": gossip, "fedavg": BASE}))
    assert found.num_patients == 9
    assert found.means["individual"] == pytest.approx(BASE[1:].mean())


def test_scores_of_different_patients_only_compare_nothing():
    scores = of_patients({"individual": [0.5, math.nan], "gossip": [math.nan, 0.5]})
    found = advice_for(scores, ("individual", "gossip"))["site_a", "Brainstem"]
    assert (found.verdict, found.num_patients) == ("too few patients", 0)
    assert found.means == {"individual": None, "gossip": None}


@pytest.mark.parametrize("candidates", [[], ["gossip"], ["gossip", "gossip"], ["gossip", "unknown"]])
def test_fewer_than_two_schemes_are_refused(candidates):
    with pytest.raises(ScoreTableError, match="expected"):
        advice_for([one("gossip", 0.5)], candidates)
