"""A mean or a paired difference with its bootstrap interval and its counts.

The interval covers the patients' variation with the models as they are; that of another seed is ``seed_spread``.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from experiments.statistics import MIN_PATIENTS
from experiments.statistics.averages import WEIGHTINGS, Weighting, cells_of
from experiments.statistics.counts import Counts, count
from experiments.statistics.resampling import Resampling
from experiments.statistics.series import Series
from experiments.statistics.studentised import studentised_interval
from experiments.statistics.study import Study

# More of a mean than this from cells of a single patient, and an interval would claim to know what one patient cannot show.
MAX_LONE_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One number of the report.

    Attributes:
        scheme, minus: whose mean, or the mean of ``scheme`` − ``minus`` over what both have; None for no difference.
        weighting: which mean; at one site and structure both are the same.
        site, structure: of what part; None for all.
        value: None where nothing is scored.
        low, high: the interval at ``level``, cut at the limits of the score, which the ratios of few patients know nothing of;
            None with fewer than ``MIN_PATIENTS`` patients, with a ``lone_share`` above
            ``MAX_LONE_SHARE``, and where so few patients differ that there is no bound.
        level: two-sided.
        lone_share: how much of the mean comes from cells of a single patient, which add no width to the interval.
        counts: what is behind it.
    """

    scheme: str
    minus: str | None
    weighting: Weighting
    site: str | None
    structure: str | None
    value: float | None
    low: float | None
    high: float | None
    level: float
    lone_share: float
    counts: Counts


def estimate(series: Series, resampling: Resampling, weighting: Weighting = "macro") -> Estimate:
    """The mean of a series with its interval.

    Args:
        series: a scheme, or a difference, of the study that was resampled, or a part of it.
        resampling: the study's.
        weighting: of ``WEIGHTINGS``.
    """
    counts, cells = count(series), cells_of(series.values_PK, series.site_P, weighting)
    low, high = -math.inf, math.inf
    if counts.num_patients >= MIN_PATIENTS and cells.lone_share <= MAX_LONE_SHARE:
        low, high = studentised_interval(cells, resampling.weights_PR[series.patient_P], resampling.level)
        low, high = _within(low, high, series.limits)
    return Estimate(
        scheme=series.scheme,
        minus=series.minus,
        weighting=weighting,
        site=series.site,
        structure=series.structure,
        value=_finite(cells.mean),
        low=_finite(low),
        high=_finite(high),
        level=resampling.level,
        lone_share=cells.lone_share,
        counts=counts,
    )


def observed(series: Series, weighting: Weighting = "macro") -> float | None:
    """The mean of a series; None where nothing is scored."""
    return _finite(cells_of(series.values_PK, series.site_P, weighting).mean)


def estimate_all(study: Study, resampling: Resampling, pairs: Iterable[tuple[str, str]] | None = None) -> tuple[Estimate, ...]:
    """Every scheme and every pair: overall, per structure, per site, and per site and structure.

    Args:
        study: the scores.
        resampling: the study's.
        pairs: (scheme, minus) to take differences of; by default every two schemes.
    """
    schemes = [study.series(scheme) for scheme in study.schemes]
    pairs = list(combinations(study.schemes, 2)) if pairs is None else pairs
    differences = [study.series(scheme).less(study.series(minus)) for scheme, minus in pairs]
    return tuple(
        estimate(part, resampling, weighting)
        for series in [*schemes, *differences]
        for part in _parts(series)
        for weighting in (WEIGHTINGS[:1] if part.site and part.structure else WEIGHTINGS)
    )


def _parts(series: Series) -> Iterator[Series]:
    for site in (None, *series.sites):
        for structure in (None, *series.structures):
            yield series.within(site, structure)


def _within(low: float, high: float, limits: tuple[float, float]) -> tuple[float, float]:
    """The interval cut at what is possible; an end that is no bound stays none."""
    return (max(low, limits[0]) if math.isfinite(low) else low), (min(high, limits[1]) if math.isfinite(high) else high)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
