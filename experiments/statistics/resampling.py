"""Which patients a bootstrap resample holds: drawn within their site, and the same for every scheme.

From a site of n patients n are drawn with replacement. A site's only patient is in every resample.
"""

from dataclasses import dataclass

import numpy as np

from experiments.statistics.study import Study


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampling:
    """The resamples that every estimate of a study shares, so that differences are paired.

    Attributes:
        weights_PR: float64, how often resample r holds patient p of the study.
        level: of the two-sided intervals.
    """

    weights_PR: np.ndarray
    level: float


def resample(study: Study, num_resamples: int = 10_000, random_seed: int = 0, level: float = 0.95) -> Resampling:
    """Draws the resamples; they depend on the study's sites and numbers of patients only, not on schemes or scores.

    Args:
        study: whose patients.
        num_resamples: 10 000 leave a bound with noise of about 3 % of the standard error.
        random_seed: the same seed gives the same resamples.
        level: of the two-sided intervals, between 0 and 1.
    """
    generator = np.random.default_rng(random_seed)
    site_P = study.site_P
    weights_PR = np.empty((len(site_P), num_resamples))
    for site, num_patients in enumerate(np.bincount(site_P)):
        shares = np.full(num_patients, 1 / num_patients)
        weights_PR[site_P == site] = generator.multinomial(num_patients, shares, size=num_resamples).T
    return Resampling(weights_PR=weights_PR, level=level)
