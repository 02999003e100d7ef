"""Which model a site should use for a structure, and what shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from experiments.statistics import MIN_PATIENTS
from experiments.statistics.estimate import observed
from experiments.statistics.pairs import PairComparison, compare_series
from experiments.statistics.resampling import Resampling
from experiments.statistics.score import ScoreTableError
from experiments.statistics.series import Series
from experiments.statistics.study import Study

LEVEL = 0.05  # per site and structure, so of twenty of them one may be advised by chance alone

Verdict = Literal["use this one", "use one of these", "no difference shown", "too few patients", "nothing to compare"]


@dataclass(frozen=True, kw_only=True)
class Advice:
    """For one structure at one site.

    Attributes:
        site, structure: whose patients and what.
        verdict: ``use this one``: the best mean, and shown better than every other; ``use one of these``: some are shown worse
            than the best; ``no difference shown``: none is; ``too few patients``: shown, not tested; ``nothing to compare``:
            fewer than two candidates have a score here.
        use: the candidates that are not shown worse than the best mean, best first; empty where nothing was tested.
        num_patients: who have a number from every candidate that has any here; everything below is about them.
        means: by candidate.
        without_scores: the candidates that have none here, such as the own model of a site that never drew the structure.
        evidence: every pair of candidates, corrected with Holm within this site and structure.
    """

    site: str
    structure: str
    verdict: Verdict
    use: tuple[str, ...]
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
    return tuple(
        _advise({name: table.within(site, structure) for name, table in series.items()}, site, structure, resampling)
        for site in study.sites
        for structure in study.structures
    )


def _advise(parts: dict[str, Series], site: str, structure: str, resampling: Resampling) -> Advice:
    with_scores = {name: part for name, part in parts.items() if not np.isnan(part.values_PK).all()}
    common_PK = np.logical_and.reduce([~np.isnan(part.values_PK) for part in with_scores.values() or parts.values()])
    common = {name: part.only_where(common_PK) for name, part in with_scores.items()}
    means = {name: observed(part) for name, part in common.items()}
    num_patients = int(common_PK.sum())
    ranking = sorted(common, key=lambda name: -(means[name] or 0.0)) if num_patients else list(common)
    evidence = compare_series(common, list(combinations(ranking, 2)), resampling)
    verdict, use = _choose(ranking, num_patients, evidence)
    return Advice(
        site=site,
        structure=structure,
        verdict=verdict,
        use=use,
        num_patients=num_patients,
        means=means,
        without_scores=tuple(name for name in parts if name not in with_scores),
        evidence=evidence,
    )


def _choose(ranking: list[str], num_patients: int, evidence: Sequence[PairComparison]) -> tuple[Verdict, tuple[str, ...]]:
    if len(ranking) < 2:
        return "nothing to compare", ()
    if num_patients < MIN_PATIENTS:
        return "too few patients", ()
    worse = {pair.difference.minus for pair in evidence if pair.difference.scheme == ranking[0] and _shown_better(pair)}
    use = tuple(name for name in ranking if name not in worse)
    if len(use) == 1:
        return "use this one", use
    return ("use one of these" if worse else "no difference shown"), use


def _shown_better(pair: PairComparison) -> bool:
    """Whether the first of the pair is better; a mean that one patient carries against the ranks does not show it."""
    return pair.p_holm is not None and pair.p_holm < LEVEL and pair.test.rank_biserial > 0 and pair.difference.value > 0
