"""The test equals scipy's, hand computations, printed examples and the counting of all signs."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.statistics.signed_rank import signed_rank

# Darwin's Zea mays, as in the documentation of scipy.stats.wilcoxon.
MAIZE = np.array([6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75])
# Depression scores of nine patients at two visits: Hollander and Wolfe, Nonparametric Statistical Methods, example 3.1.
FIRST_VISIT = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
SECOND_VISIT = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])


def counted(differences: np.ndarray) -> float:
    """The two-sided p by trying every sign of every difference that is not 0."""
    ranks = scipy.stats.rankdata(np.abs(differences))[differences != 0]
    found = ranks[differences[differences != 0] > 0].sum()
    far = abs(found - ranks.sum() / 2)
    sums = [np.dot(ranks, signs) for signs in itertools.product((0, 1), repeat=len(ranks))]
    return float(np.mean([abs(total - ranks.sum() / 2) >= far - 1e-9 for total in sums]))


def test_by_hand():
    # Ranks 1 2 3 −4 5: of the 32 sign patterns 7 have a negative sum of at most 4 (0, 1, 2, 3 twice, 4 twice).
    found = signed_rank(np.array([0.01, 0.02, 0.03, -0.04, 0.05]))
    assert found.p_value == pytest.approx(14 / 32)
    assert found.rank_biserial == pytest.approx((11 - 4) / 15)


def test_ties_by_hand():
    # Ranks 2 2 −2 4.5 4.5: four patterns have a negative sum of at most 2 (none, and one of three).
    assert signed_rank(np.array([0.1, 0.1, -0.1, 0.2, 0.2])).p_value == pytest.approx(8 / 32)


def test_a_zero_is_ranked_and_has_no_sign():
    # Ranks 2 to 6 with signs + + + + −: negative sums of at most 6 are none, 2, 3, 4, 5, 6 and 2 + 3, 2 + 4.
    found = signed_rank(np.array([0.0, 0.1, 0.2, 0.3, 0.4, -0.5]))
    assert (found.num_pairs, found.num_zero) == (6, 1)
    assert found.p_value == pytest.approx(2 * 8 / 32)


def test_a_printed_example():
    assert signed_rank(MAIZE).p_value == pytest.approx(0.041259765625)


def test_a_printed_example_with_its_median_difference():
    found = signed_rank(FIRST_VISIT - SECOND_VISIT)
    assert found.p_value == pytest.approx(2 * 0.01953125)
    assert found.median_difference == pytest.approx(0.46)


@settings(deadline=None)
@given(st.lists(st.integers(1, 400), min_size=5, max_size=40, unique=True), st.integers(0, 2**32))
def test_it_equals_scipy_without_ties(sizes, seed):
    differences = np.array(sizes) / 1000 * np.random.default_rng(seed).choice([-1, 1], len(sizes))
    expected = scipy.stats.wilcoxon(differences, method="exact")
    assert signed_rank(differences).p_value == pytest.approx(expected.pvalue)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-4, 4), min_size=5, max_size=9).filter(any))
def test_it_equals_counting_with_ties_and_zeros(sizes):
    assert signed_rank(np.array(sizes) / 100).p_value == pytest.approx(counted(np.array(sizes)))


@given(st.lists(st.integers(-50, 50), min_size=5, max_size=30).filter(any))
def test_the_other_way_round_it_is_the_same_with_opposite_effects(sizes):
    there, back = signed_rank(np.array(sizes) / 100), signed_rank(-np.array(sizes) / 100)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.rank_biserial == pytest.approx(-back.rank_biserial)
    assert there.median_difference == pytest.approx(-back.median_difference)


def test_rounding_makes_no_ranks():
    # 0.3 − 0.2 and 0.9 − 0.8 are not the same float.
    uneven = np.array([0.3 - 0.2, 0.9 - 0.8, 0.7 - 0.6, -0.1, 0.5 - 0.4])
    assert signed_rank(uneven) == signed_rank(np.array([0.1, 0.1, 0.1, -0.1, 0.1]))


def test_differences_that_are_all_zero_are_not_tested():
    found = signed_rank(np.zeros(8))
    assert found.not_tested == "every difference is 0"
    assert found.p_value is found.rank_biserial is None
    assert (found.num_pairs, found.num_zero, found.median_difference) == (8, 8, 0)


def test_few_pairs_are_shown_and_not_tested():
    found = signed_rank(np.array([0.1, 0.2, 0.3, math.nan, 0.4]))
    assert found.not_tested == "fewer than 5 patients"
    assert found.p_value is None
    assert (found.num_pairs, found.rank_biserial) == (4, 1)
    assert found.median_difference == pytest.approx(0.25)


def test_no_pairs():
    found = signed_rank(np.array([math.nan]))
    assert found.num_pairs == 0
    assert found.p_value is found.rank_biserial is found.median_difference is None


def test_all_one_way_is_certain_as_far_as_it_can_be():
    found = signed_rank(np.linspace(0.01, 0.2, 200))
    assert 0 < found.p_value < 1e-50
    assert found.rank_biserial == 1
