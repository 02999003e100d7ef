"""What a site's model does with structures that the site never contoured: tried on the other sites' patients."""

from collections.abc import Mapping

from experiments.results.measures import DICE_LIMITS
from experiments.results.scored_study import Arm, ScoredStudy
from experiments.statistics.counts import count
from experiments.statistics.estimate import observed
from experiments.statistics.study import Study
from experiments.statistics.views import of_model

PREDICTED, NOT_PREDICTED, NOT_SCORED = "predicted", "not predicted", "not scored on other sites"


def missing_structures(scored: ScoredStudy, sites: Mapping[str, dict]) -> list[dict]:
    """Of every compared arm, site and structure that the site never trained.

    Args:
        scored: the scores.
        sites: of the dataset, as in the results.

    Returns:
        Rows with the macro mean Dice over the other sites' patients, None where there is none; ``outcome`` says whether the
        model predicts the structure at all, or with how many of its seeds; the mean is over those. A shared model is every
        site's.
    """
    structures = sorted({row.structure for row in scored.rows})
    return [
        {"site": site, "structure": structure, "arm": arm.name, **_tried(scored, arm, site, structure)}
        for site, facts in sites.items()
        for structure in structures
        if not _trained(facts["contoured"].get(structure, {}))
        for arm in scored.arms
        if arm.name in scored.compared
    ]


def _trained(contoured: Mapping[str, int]) -> bool:
    """By the training patients; where only scores are known, by the patients that were scored."""
    return bool(contoured.get("train") if "train" in contoured else any(contoured.values()))


def _tried(scored: ScoredStudy, arm: Arm, site: str, structure: str) -> dict:
    elsewhere = [score for score in of_model(scored.scores(arms=[arm.name]), site) if score.patient_site != site]
    scores = [score for score in elsewhere if score.structure == structure]
    if not scores:
        outcome = NOT_PREDICTED if elsewhere else NOT_SCORED
        return {"dice": None, "num_patients": 0, "num_patient_sites": 0, "outcome": outcome}
    study = Study.of(scores, DICE_LIMITS)
    series, series_seeds = study.series(arm.name), study.seeds[arm.name]
    counts = count(series)
    return {
        "dice": observed(series),
        "num_patients": counts.num_patients,
        "num_patient_sites": counts.num_sites,
        "outcome": _predicted(len(series_seeds), len(arm.seeds)),
    }


def _predicted(num_seeds: int, of: int) -> str:
    return PREDICTED if num_seeds == of else f"{PREDICTED} with {num_seeds} of {of} seeds"
