"""Out of sample: models that were trained without a site, on that site's patients."""

from experiments.results.measures import DICE_LIMITS
from experiments.results.scored_study import Arm, ScoredStudy
from experiments.statistics.estimate import estimate
from experiments.statistics.resampling import resample
from experiments.statistics.study import Study
from experiments.statistics.views import cross_site

SHARED, MEAN_OF_OTHERS = "shared", "mean of the others' models"


def left_out(scored: ScoredStudy, num_resamples: int) -> list[dict]:
    """Of the schemes that are trained without sites, a row per arm and such a site; the Dice is of the last models."""
    return [_row(scored, arm, site, num_resamples) for arm in scored.arms for site in arm.without]


def _row(scored: ScoredStudy, arm: Arm, site: str, num_resamples: int) -> dict:
    scores = cross_site(score for score in scored.scores(arms=[arm.name]) if score.patient_site == site)
    row = {"arm": arm.name, "site": site, "view": SHARED if arm.shared else MEAN_OF_OTHERS}
    if not scores:
        return {**row, "dice": None, "low": None, "high": None, "num_patients": 0}
    study = Study.of(scores, DICE_LIMITS)
    found = estimate(study.series(arm.name), resample(study, num_resamples))
    return {**row, "dice": found.value, "low": found.low, "high": found.high, "num_patients": found.counts.num_patients}
