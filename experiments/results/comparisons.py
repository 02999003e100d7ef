"""The arms against each other on each site's own patients: the primary question, the planned pairs, and does federating pay."""

from collections.abc import Sequence
from dataclasses import asdict

from experiments.results.scored_study import ScoredStudy
from experiments.statistics.non_inferiority import non_inferiority
from experiments.statistics.pairs import compare_pairs
from experiments.statistics.resampling import Resampling
from experiments.statistics.study import Study

# Plans that are no federation: every site for itself, and all data in one place.
NOT_FEDERATED = ("individual", "pooled")


def primary(settings: dict, own: Study, resampling: Resampling) -> dict | None:
    """The hypothesis that was written down before; None without one, or while one of its arms has no scores."""
    hypothesis = settings.get("hypothesis")
    if not hypothesis or not {hypothesis["scheme"], hypothesis["reference"]} <= set(own.schemes):
        return None
    scheme, reference, margin = hypothesis["scheme"], hypothesis["reference"], hypothesis["margin"]
    return {"text": hypothesis["text"], **asdict(non_inferiority(own, resampling, scheme, reference, margin=margin))}


def secondary_non_inferiority(settings: dict, own: Study, resampling: Resampling) -> list[dict]:
    """Every other arm against the hypothesis's reference, with the same margin; each its own 2.5 %."""
    hypothesis = settings.get("hypothesis")
    if not hypothesis or hypothesis["reference"] not in own.schemes:
        return []
    reference, margin = hypothesis["reference"], hypothesis["margin"]
    return [
        {"secondary": True, **asdict(non_inferiority(own, resampling, name, reference, margin=margin))}
        for name in own.schemes
        if name not in (reference, hypothesis["scheme"])
    ]


def planned_pairs(settings: dict, own: Study, resampling: Resampling) -> list[dict]:
    """The pairs of the study file that have scores: one family."""
    return _compared(
        own, resampling, [pair for pair in map(tuple, settings.get("comparisons") or []) if set(pair) <= set(own.schemes)]
    )


def against_individual(scored: ScoredStudy, own: Study, resampling: Resampling) -> list[dict]:
    """The federated arms that a site can choose, and the hypothesis's, each against training alone: a family of its own."""
    alone = next((arm.name for arm in scored.arms if arm.plan == "individual" and arm.name in own.schemes), None)
    named = [*(scored.settings.get("advice") or []), (scored.settings.get("hypothesis") or {}).get("scheme")]
    federated = [name for name in dict.fromkeys(named) if name in own.schemes and scored.arm(name).plan not in NOT_FEDERATED]
    return _compared(own, resampling, [(name, alone) for name in federated]) if alone else []


def _compared(own: Study, resampling: Resampling, pairs: Sequence[tuple[str, str]]) -> list[dict]:
    return [asdict(pair) for pair in compare_pairs(own, resampling, pairs)]
