"""Means with their intervals: Dice of every arm and part of each site's own patients, and the other measures beside it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict

from experiments.results.measures import DICE_LIMITS, LIMITS
from experiments.results.scored_study import ScoredStudy
from experiments.statistics.averages import WEIGHTINGS
from experiments.statistics.counts import count
from experiments.statistics.estimate import estimate, estimate_all
from experiments.statistics.resampling import Resampling, resample
from experiments.statistics.score import Score
from experiments.statistics.study import Study
from experiments.statistics.views import cross_site, own_site


def dice_estimates(scored: ScoredStudy, own: Study, resampling: Resampling) -> dict[str, list[dict]]:
    """The Dice of the last models, per arm: overall, per structure, per site, and per site and structure.

    Args:
        scored: the scores.
        own: their view of each site's own patients.
        resampling: of ``own``.

    Returns:
        ``own_site`` and ``cross_site``; the latter is empty where models were scored on their own sites alone.
    """
    rows = {"own_site": estimate_all(own, resampling, pairs=[]), "cross_site": ()}
    scores = scored.scores()
    if any(score.model_site not in (None, score.patient_site) for score in scores):
        others = Study.of(cross_site(scores), DICE_LIMITS)
        rows["cross_site"] = estimate_all(others, resample(others, resampling.weights_PR.shape[1]), pairs=[])
    return {view: [asdict(row) for row in found] for view, found in rows.items()}


def best_models(scored: ScoredStudy, num_resamples: int) -> list[dict]:
    """The overall Dice of the models that were best on validation, on their own sites' patients; of the arms that keep one."""
    return _overall(own_site(scored.scores(which="best")), "dice", num_resamples)


def measure_estimates(scored: ScoredStudy, own: Study, measure: str, num_resamples: int) -> list[dict]:
    """Another measure on each site's own patients, overall and per structure.

    Args:
        scored: the scores.
        own: Dice of the same patients, which says what a true absence is.
        measure: see ``ScoredStudy.scores``.
        num_resamples: how many.

    Returns:
        Estimates with two counts more, of predictions of single seeds: ``num_missed`` and ``num_invented`` organs; and
        ``num_undefined``: patient × structure cells that have a Dice and not this measure.
    """
    rows = _overall(own_site(scored.scores(measure)), measure, num_resamples, per_structure=True)
    statuses = _statuses(scored)
    for row in rows:
        absent = count(own.series(row["scheme"]).within(structure=row["structure"])).num_absent
        undefined = row["counts"]["num_absent"] - absent
        row["counts"] |= {"num_absent": absent, "num_undefined": undefined}
        row |= {f"num_{status}": statuses[row["scheme"], row["structure"], status] for status in ("missed", "invented")}
    return rows


def _overall(scores: Iterable[Score], measure: str, num_resamples: int, per_structure: bool = False) -> list[dict]:
    scores = list(scores)
    if not scores:
        return []
    study = Study.of(scores, LIMITS[measure])
    resampling = resample(study, num_resamples)
    return [
        asdict(estimate(study.series(scheme).within(structure=structure), resampling, weighting))
        for scheme in study.schemes
        for structure in (None, *(study.structures if per_structure else ()))
        for weighting in WEIGHTINGS
    ]


def _statuses(scored: ScoredStudy) -> Counter:
    """How often an arm's last models missed or invented a structure (None: any) of their own sites' patients."""
    own = [row for row in scored.rows if row.which == "last" and row.model_site in (None, row.patient_site)]
    return Counter((row.arm, structure, row.status) for row in own for structure in (None, row.structure))
