"""The Wilcoxon signed-rank test of paired differences, exact whatever ties and zeros there are, and its effect sizes.

* zeros are ranked with the others and then have no sign (Pratt): dropping them first would make few real differences among
  many equal pairs look like a rule;
* ties share the mean of their ranks; the null distribution is that of these very ranks under all 2^n signs, counted by adding
  one rank at a time, not a normal approximation.

The null is that a patient's difference is as likely positive as negative, of any size.

Source: Wilcoxon 1945, doi:10.2307/3001968; Pratt, J Am Stat Assoc 54:655, 1959; Streitberg and Röhmel, Statistical Software
Newsletter 12:10, 1986 (the exact distribution with ties); Kerby 2014, doi:10.2466/11.IT.3.1 (rank-biserial correlation);
Hodges and Lehmann 1963, doi:10.1214/aoms/1177704172.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from experiments.statistics import MIN_PATIENTS

# Differences closer than this are equal: they differ in how the floats were rounded, not in a voxel.
_DECIMALS = 12


@dataclass(frozen=True, kw_only=True)
class SignedRank:
    """What a test of paired differences found.

    Attributes:
        num_pairs: patients with a difference.
        num_zero: of those, the ones without any.
        p_value: two-sided; None when not tested.
        not_tested: why, where it is not; else None.
        rank_biserial: −1 (all differences negative) to 1; None without a difference that is not 0.
        median_difference: the Hodges–Lehmann estimate, the median of the means of all pairs of differences, each with itself
            too; None without pairs.
    """

    num_pairs: int
    num_zero: int
    p_value: float | None
    not_tested: str | None
    rank_biserial: float | None
    median_difference: float | None


def signed_rank(differences_P: np.ndarray) -> SignedRank:
    """Tests whether paired differences lie about 0.

    Args:
        differences_P: float64, one a patient; NaN is no pair and left out.
    """
    differences = np.round(differences_P[~np.isnan(differences_P)], _DECIMALS)
    ranks, positive = _signed_ranks(differences)
    not_tested = None
    if len(differences) < MIN_PATIENTS:
        not_tested = f"fewer than {MIN_PATIENTS} patients"
    elif not len(ranks):
        not_tested = "every difference is 0"
    return SignedRank(
        num_pairs=len(differences),
        num_zero=len(differences) - len(ranks),
        p_value=None if not_tested else _two_sided(ranks, positive),
        not_tested=not_tested,
        rank_biserial=float(np.where(positive, ranks, -ranks).sum() / ranks.sum()) if len(ranks) else None,
        median_difference=_hodges_lehmann(differences) if len(differences) else None,
    )


def _signed_ranks(differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ranks of the differences that are not 0, and whether each is positive."""
    ranks, has_sign = rankdata(np.abs(differences)), differences != 0
    return ranks[has_sign], differences[has_sign] > 0


def _two_sided(ranks: np.ndarray, positive: np.ndarray) -> float:
    """Twice the smaller tail of the sum of positive ranks, at most 1."""
    doubled = np.rint(2 * ranks).astype(int)  # tied ranks are halves
    total, found = int(doubled.sum()), int(doubled[positive].sum())
    probability = np.zeros(total + 1)
    probability[0] = 1
    for rank in doubled:
        with_rank = probability[:-rank] / 2
        probability /= 2
        probability[rank:] += with_rank
    return min(1.0, 2 * float(probability[max(found, total - found) :].sum()))


def _hodges_lehmann(differences: np.ndarray) -> float:
    first, second = np.triu_indices(len(differences))
    return float(np.median((differences[first] + differences[second]) / 2))
