"""Pairs of one call are one family."""

import math

import numpy as np
import pytest

from experiments.statistics.holm import holm
from experiments.statistics.pairs import compare_pairs
from experiments.statistics.resampling import resample
from experiments.statistics.study import Study
from tests.experiments.statistics.score_tables import of_patients, one


def study_of_three() -> Study:
    generator = np.random.default_rng(0)
    base = generator.normal(0.7, 0.05, 12)
    return Study.of(
        of_patients({"a": base, "b": base + generator.normal(0.03, 0.01, 12), "c": base + generator.normal(0, 0.01, 12)})
    )


def test_every_two_schemes_are_corrected_together():
    study = study_of_three()
    found = compare_pairs(study, resample(study, 100))
    assert [(pair.difference.scheme, pair.difference.minus) for pair in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair.p_holm for pair in found] == holm([pair.test.p_value for pair in found])
    assert found[0].p_holm < 0.01 < 0.05 < found[1].p_holm
    assert found[0].difference.high < 0
    assert found[0].test.rank_biserial < 0


def test_one_named_pair_is_not_corrected():
    study = study_of_three()
    (pair,) = compare_pairs(study, resample(study, 100), [("b", "c")])
    assert pair.p_holm == pair.test.p_value


def test_the_test_is_on_patients_and_not_on_structures():
    scores = [
        one(scheme, 0.5 + shift * (scheme == "b"), patient=f"p{number}", structure=structure)
        for scheme in ("a", "b")
        for number in range(6)
        for structure, shift in (("Brainstem", 0.1), ("Larynx", 0.3 if number else math.nan))
    ]
    study = Study.of(scores)
    (pair,) = compare_pairs(study, resample(study, 50), [("b", "a")])
    # Five patients differ by 0.2 on average; the first has a brainstem alone, and 0.1.
    assert pair.test.num_pairs == 6
    assert pair.test.p_value == pytest.approx(2 / 2**6)
    assert pair.test.median_difference == pytest.approx(0.2)


def test_schemes_without_any_difference_are_not_tested_and_correct_nothing():
    values = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95]
    better = [value + 0.01 * number for number, value in enumerate(values, 1)]
    study = Study.of(of_patients({"a": values, "b": values, "c": better}))
    same, *others = compare_pairs(study, resample(study, 50))
    assert same.test.not_tested == "every difference is 0"
    assert same.p_holm is None
    assert [pair.p_holm for pair in others] == pytest.approx([2 * 2 / 64] * 2)


def test_a_part_is_tested_alone():
    scores = [
        score
        for site in ("site_a", "site_b")
        for score in of_patients({"a": [0.5] * 6, "b": [0.6 if site == "site_a" else 0.4] * 6}, site)
    ]
    study = Study.of(scores)
    (pair,) = compare_pairs(study, resample(study, 50), [("b", "a")], site="site_a", structure="Brainstem")
    assert pair.difference.value == pytest.approx(0.1)
    assert (pair.difference.site, pair.difference.structure, pair.test.num_pairs) == ("site_a", "Brainstem", 6)
