"""Which model a site should use for a structure, and what shows it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from typing import Literal

import numpy as np

from experiments.statistics import MIN_PATIENTS
from experiments.statistics.estimate import observed
from experiments.statistics.holm import holm
from experiments.statistics.pairs import PairComparison, compare_series
from experiments.statistics.resampling import Resampling
from experiments.statistics.score import ScoreTableError
from experiments.statistics.series import Series
from experiments.statistics.study import Study

LEVEL = 0.05

Verdict = Literal["use this one", "use one of these", "no difference shown", "too few patients", "nothing to compare"]


@dataclass(frozen=True, kw_only=True)
class Advice:
    """For one structure at one site.

    Attributes:
        site, structure: whose patients and what.
        verdict: ``use this one``: the best mean, and shown better than every other; ``use one of these``: some are shown worse
            than the best; ``no difference shown``: none is; ``too few patients``: shown, not tested; ``nothing to compare``:
            fewer than two candidates have a score here.
        use: the candidates that are not shown worse than the best mean, best first; empty where nothing was tested. Corrected
            within this site and structure, so of twenty of them one may be narrowed by chance alone.
        use_over_all: the same, corrected over the pairs of all sites and structures together.
        num_patients: who have a number from every candidate that has any here; everything below is about them.
        means: by candidate, best first.
        without_scores: the candidates that have none here, such as the own model of a site that never drew the structure.
        evidence: every pair of candidates, corrected with Holm within this site and structure.
    """

    site: str
    structure: str
    verdict: Verdict
    use: tuple[str, ...]
    use_over_all: tuple[str, ...]
    num_patients: int
    means: dict[str, float | None]
    without_scores: tuple[str, ...]
    evidence: tuple[PairComparison, ...]


def advise(study: Study, resampling: Resampling, candidates: Sequence[str]) -> tuple[Advice, ...]:
    """Advice for each site and structure of a study.

    A candidate is shown worse than the best when Holm's p is below ``LEVEL`` and mean and ranks agree on the direction.

    Args:
        study: each site's own view.
        resampling: the study's.
        candidates: schemes that a site can choose between, such as individual, gossip and fedavg.

    Raises:
        ScoreTableError: fewer than two different candidates, or one is not of the study.
    """
    if len(set(candidates)) < max(2, len(candidates)):
        raise ScoreTableError(f"expected two or more different schemes to choose from, found {', '.join(candidates) or 'none'}")
    series = {name: study.series(name) for name in candidates}
    advice = [
        _advise({name: table.within(site, structure) for name, table in series.items()}, site, structure, resampling)
        for site in study.sites
        for structure in study.structures
    ]
    over_all = iter(holm([pair.test.p_value for one in advice for pair in one.evidence]))
    corrected = [list(islice(over_all, len(one.evidence))) for one in advice]
    return tuple(
        replace(one, use_over_all=_not_worse(tuple(one.means) if one.use else (), one.evidence, p_values))
        for one, p_values in zip(advice, corrected, strict=True)
    )


def _advise(parts: dict[str, Series], site: str, structure: str, resampling: Resampling) -> Advice:
    with_scores = {name: part for name, part in parts.items() if not np.isnan(part.values_PK).all()}
    common_PK = np.logical_and.reduce([~np.isnan(part.values_PK) for part in with_scores.values() or parts.values()])
    common = {name: part.only_where(common_PK) for name, part in with_scores.items()}
    means = {name: observed(part) for name, part in common.items()}
    num_patients = int(common_PK.sum())
    ranking = sorted(common, key=lambda name: -(means[name] or 0.0)) if num_patients else list(common)
    evidence = compare_series(common, list(combinations(ranking, 2)), resampling)
    tested = ranking if len(ranking) > 1 and num_patients >= MIN_PATIENTS else ()
    use = _not_worse(tested, evidence, [pair.p_holm for pair in evidence])
    return Advice(
        site=site,
        structure=structure,
        verdict=_verdict(ranking, use),
        use=use,
        use_over_all=(),  # known when every cell is
        num_patients=num_patients,
        means={name: means[name] for name in ranking},
        without_scores=tuple(name for name in parts if name not in with_scores),
        evidence=evidence,
    )


def _not_worse(ranking: Sequence[str], evidence: Sequence[PairComparison], p_values: Sequence[float | None]) -> tuple[str, ...]:
    """The candidates that the first is not shown better than, itself included."""
    worse = {
        pair.difference.minus
        for pair, p_value in zip(evidence, p_values, strict=True)
        if pair.difference.scheme in ranking[:1] and _shows_better(pair, p_value)
    }
    return tuple(name for name in ranking if name not in worse)


def _shows_better(pair: PairComparison, p_value: float | None) -> bool:
    """Whether the first of the pair is better; a mean that one patient carries against the ranks does not show it."""
    return p_value is not None and p_value < LEVEL and pair.test.rank_biserial > 0 and pair.difference.value > 0


def _verdict(ranking: Sequence[str], use: Sequence[str]) -> Verdict:
    if len(ranking) < 2:
        return "nothing to compare"
    if not use:
        return "too few patients"
    if len(use) == 1:
        return "use this one"
    return "use one of these" if len(use) < len(ranking) else "no difference shown"
