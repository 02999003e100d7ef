"""A mean or a paired difference with its bootstrap interval and its counts.

The interval is the percentile one. Means over dozens of patients are nearly symmetric, so BCa would correct little, and its
acceleration, a third moment over five to fifteen patients a site, is noisier than what it corrects. It covers the patients'
variation with the models as they are; that of another seed is ``seed_spread``.

Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from experiments.statistics import MIN_PATIENTS
from experiments.statistics.averages import WEIGHTINGS, Weighting, average
from experiments.statistics.counts import Counts, count
from experiments.statistics.resampling import Resampling
from experiments.statistics.series import Series
from experiments.statistics.study import Study


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One number of the report.

    Attributes:
        scheme, minus: whose mean, or the mean of ``scheme`` − ``minus`` over what both have; None for no difference.
        weighting: which mean; at one site and structure both are the same.
        site, structure: of what part; None for all.
        value: None where nothing is scored.
        low, high: the interval at ``level``; None with fewer than ``MIN_PATIENTS`` patients to resample.
        level: two-sided.
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
    counts: Counts


def estimate(series: Series, resampling: Resampling, weighting: Weighting = "macro") -> Estimate:
    """The mean of a series with its interval.

    Args:
        series: a scheme, or a difference, of the study that was resampled, or a part of it.
        resampling: the study's.
        weighting: of ``WEIGHTINGS``.
    """
    counts = count(series)
    low = high = None
    if counts.num_resampled >= MIN_PATIENTS:
        means_R = average(series.values_PK, series.site_P, resampling.weights_PR[series.patient_P], weighting)
        tail = (1 - resampling.level) / 2
        low, high = map(float, np.quantile(means_R, [tail, 1 - tail]))
    return Estimate(
        scheme=series.scheme,
        minus=series.minus,
        weighting=weighting,
        site=series.site,
        structure=series.structure,
        value=observed(series, weighting),
        low=low,
        high=high,
        level=resampling.level,
        counts=counts,
    )


def observed(series: Series, weighting: Weighting = "macro") -> float | None:
    """The mean of a series; None where nothing is scored."""
    value = average(series.values_PK, series.site_P, np.ones((len(series.site_P), 1)), weighting)[0]
    return None if np.isnan(value) else float(value)


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
