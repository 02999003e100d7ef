"""The verdicts, and how often they are wrong in studies whose truth is known."""

import numpy as np
import pytest

from experiments.statistics.non_inferiority import DEFAULT_MARGIN, non_inferiority
from experiments.statistics.resampling import resample
from experiments.statistics.score import ScoreTableError
from experiments.statistics.simulation import simulated
from experiments.statistics.study import Study
from tests.experiments.statistics.score_tables import of_patients, one


def answers(truth: float, num_studies: int, weighting="macro") -> list:
    found = []
    for number in range(num_studies):
        study = Study.of(simulated(np.random.default_rng(number), truth))
        found.append(non_inferiority(study, resample(study, 400, random_seed=number), "b", "a", weighting=weighting))
    return found


@pytest.fixture(scope="module")
def at_the_margin() -> list:
    """200 studies in which the truth lies exactly at the margin, skewed towards harm."""
    return answers(-DEFAULT_MARGIN, 200)


def test_the_interval_covers_the_truth_as_often_as_it_says(at_the_margin):
    covered = [a.difference.low <= -DEFAULT_MARGIN <= a.difference.high for a in at_the_margin if a.difference.low is not None]
    assert len(covered) >= 190
    assert 0.90 <= np.mean(covered) <= 0.99


def test_a_scheme_at_the_margin_is_rarely_called_not_inferior_or_inferior(at_the_margin):
    verdicts = [answer.verdict for answer in at_the_margin]
    assert verdicts.count("not inferior") <= 0.05 * len(verdicts)
    assert verdicts.count("inferior") <= 0.05 * len(verdicts)
    assert not any(answer.superior for answer in at_the_margin)


def test_a_scheme_that_is_better_is_found_not_inferior_and_superior():
    found = answers(0.02, 20)
    assert [answer.verdict for answer in found] == ["not inferior"] * 20
    assert sum(answer.superior for answer in found) >= 18


def test_a_scheme_that_is_worse_is_found_inferior():
    assert [answer.verdict for answer in answers(-0.04, 20)] == ["inferior"] * 20


@pytest.mark.parametrize(
    ("shift", "spread", "verdict", "superior"),
    [
        (0.0, 0.01, "not inferior", False),
        (0.03, 0.01, "not inferior", True),
        (-0.01, 0.005, "not inferior", False),
        (-0.05, 0.01, "inferior", False),
        (-0.02, 0.01, "not shown", False),
        (0.0, 0.2, "not shown", False),
    ],
)
def test_verdicts(shift, spread, verdict, superior):
    around = np.linspace(-1, 1, 15)
    study = Study.of(of_patients({"ours": 0.5 + shift + spread * around, "pooled": [0.5] * 15}))
    found = non_inferiority(study, resample(study, 500), "ours", "pooled")
    assert (found.verdict, found.superior) == (verdict, superior)
    assert found.difference.value == pytest.approx(shift)
    assert found.margin == 0.02


def test_another_margin_can_change_the_verdict():
    study = Study.of(of_patients({"ours": 0.48 + 0.01 * np.linspace(-1, 1, 15), "pooled": [0.5] * 15}))
    resampling = resample(study, 500)
    assert non_inferiority(study, resampling, "ours", "pooled", margin=0.05).verdict == "not inferior"
    assert non_inferiority(study, resampling, "ours", "pooled", margin=0.005).verdict == "inferior"


@pytest.mark.parametrize("size", [1, 4])
def test_few_patients_are_not_tested(size):
    study = Study.of([one(scheme, 0.5, patient=f"p{n}") for scheme in ("a", "b") for n in range(size)])
    found = non_inferiority(study, resample(study, 50), "b", "a")
    assert (found.verdict, found.superior, found.difference.value) == ("not tested", False, 0)


def test_equal_schemes_are_not_inferior_and_not_superior():
    study = Study.of(of_patients({"a": [0.5] * 6, "b": [0.5] * 6}))
    found = non_inferiority(study, resample(study, 50), "b", "a")
    assert (found.verdict, found.superior) == ("not inferior", False)


@pytest.mark.parametrize(("margin", "level"), [(0.0, 0.95), (-0.02, 0.95), (float("nan"), 0.95), (0.02, 0.9)])
def test_a_margin_or_level_that_means_something_else_is_refused(margin, level):
    study = Study.of(of_patients({"a": [0.5] * 6, "b": [0.5] * 6}))
    with pytest.raises(ScoreTableError, match="positive number"):
        non_inferiority(study, resample(study, 50, level=level), "b", "a", margin=margin)
