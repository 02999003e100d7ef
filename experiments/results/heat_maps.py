"""Every model on every site's patients."""

from collections import defaultdict
from collections.abc import Sequence

from experiments.results.measures import DICE_LIMITS
from experiments.results.scored_study import Arm, ScoredStudy
from experiments.statistics.counts import count
from experiments.statistics.estimate import observed
from experiments.statistics.score import Score
from experiments.statistics.study import Study

# The row of a shared model; not a site's name, which has no spaces.
ALL_SITES = "all sites"


def heat_maps(scored: ScoredStudy) -> dict[str, dict]:
    """By arm, those that were trained without a site among them.

    Returns:
        ``model_sites`` (rows), ``patient_sites`` (columns), ``dice`` and ``num_patients`` as lists of rows; None and 0 where a
        model was not scored.
    """
    return {arm.name: _heat_map(scored, arm) for arm in scored.arms}


def _heat_map(scored: ScoredStudy, arm: Arm) -> dict:
    scores = scored.scores(arms=[arm.name])
    patient_sites = sorted({row.patient_site for row in scored.rows})
    model_sites = sorted({score.model_site for score in scores}, key=str)
    dice, num_patients = [], []
    for model_site in model_sites:
        study = Study.of(_of_every_seed([score for score in scores if score.model_site == model_site]), DICE_LIMITS)
        parts = [study.series(arm.name).within(site) if site in study.sites else None for site in patient_sites]
        dice.append([None if part is None else observed(part) for part in parts])
        num_patients.append([0 if part is None else count(part).num_patients for part in parts])
    return {
        "model_sites": [site or ALL_SITES for site in model_sites],
        "patient_sites": patient_sites,
        "dice": dice,
        "num_patients": num_patients,
    }


def _of_every_seed(scores: Sequence[Score]) -> list[Score]:
    """What a model learned with every seed: what one seed alone learned would be a mean of fewer seeds than its neighbours."""
    seeds = {score.seed for score in scores}
    seeds_of = defaultdict(set)
    for score in scores:
        seeds_of[score.structure].add(score.seed)
    return [score for score in scores if seeds_of[score.structure] == seeds]
