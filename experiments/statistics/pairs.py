"""Schemes against each other, on the same patients: the difference, the signed-rank test, and Holm over the family."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from experiments.statistics.averages import Weighting, patient_means
from experiments.statistics.estimate import Estimate, estimate
from experiments.statistics.holm import holm
from experiments.statistics.resampling import Resampling
from experiments.statistics.series import Series
from experiments.statistics.signed_rank import SignedRank, signed_rank
from experiments.statistics.study import Study


@dataclass(frozen=True, kw_only=True)
class PairComparison:
    """One scheme against another.

    Attributes:
        difference: scheme − minus, with its interval; this is not corrected for the number of pairs.
        test: on each patient's mean difference over the structures that both schemes have.
        p_holm: the test's p, corrected for the pairs that were tested with it; None when it was not tested.
    """

    difference: Estimate
    test: SignedRank
    p_holm: float | None


def compare_pairs(
    study: Study,
    resampling: Resampling,
    pairs: Iterable[tuple[str, str]] | None = None,
    *,
    weighting: Weighting = "macro",
    site: str | None = None,
    structure: str | None = None,
) -> tuple[PairComparison, ...]:
    """Compares schemes; the pairs of one call are one family.

    Args:
        study: the scores.
        resampling: the study's.
        pairs: (scheme, minus); by default every two schemes. Fewer pairs, named beforehand, are corrected less.
        weighting: of the difference; the test always counts each patient once.
        site, structure: of what part; None for all.
    """
    pairs = list(combinations(study.schemes, 2)) if pairs is None else list(pairs)
    parts = {
        name: study.series(name).within(site, structure) for name in dict.fromkeys(name for pair in pairs for name in pair)
    }
    return compare_series(parts, pairs, resampling, weighting)


def compare_series(
    parts: Mapping[str, Series], pairs: Sequence[tuple[str, str]], resampling: Resampling, weighting: Weighting = "macro"
) -> tuple[PairComparison, ...]:
    """As ``compare_pairs``, of series that were cut already, by scheme."""
    differences = [parts[scheme].less(parts[minus]) for scheme, minus in pairs]
    tests = [signed_rank(patient_means(difference.values_PK)) for difference in differences]
    adjusted = holm([test.p_value for test in tests])
    return tuple(
        PairComparison(difference=estimate(difference, resampling, weighting), test=test, p_holm=p_holm)
        for difference, test, p_holm in zip(differences, tests, adjusted, strict=True)
    )
