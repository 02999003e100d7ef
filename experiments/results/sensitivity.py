"""Does the primary answer hang on a few patients: the same comparison without those that the study file names."""

from collections.abc import Sequence

from experiments.results.comparisons import primary
from experiments.results.measures import DICE_LIMITS
from experiments.statistics.resampling import resample
from experiments.statistics.score import Score
from experiments.statistics.study import Study


def without_patients(settings: dict, scores: Sequence[Score], num_resamples: int) -> list[dict]:
    """The primary comparison without all the patients of ``sensitivity_without``, and without each where they are several.

    Args:
        settings: of study.yaml; ``sensitivity_without`` is a list of ``patient``, ``why`` and, if two sites use the same
            pseudonym, ``site``. Those of another split are passed over.
        scores: each site's own view.
        num_resamples: how many.

    Returns:
        The rows of ``primary`` with the entries that were left out as ``without``; empty when nobody is.
    """
    chosen = [entry for entry in settings.get("sensitivity_without") or [] if any(_is(score, entry) for score in scores)]
    groups = [chosen, *([entry] for entry in chosen if len(chosen) > 1)] if chosen else []
    return [{"without": group, **row} for group in groups if (row := _without(settings, scores, group, num_resamples))]


def unknown_patients(settings: dict, scores: Sequence[Score]) -> list[str]:
    """Patients that are to be left out and were not scored."""
    entries = settings.get("sensitivity_without") or []
    return [entry["patient"] for entry in entries if not any(_is(score, entry) for score in scores)]


def _without(settings: dict, scores: Sequence[Score], group: Sequence[dict], num_resamples: int) -> dict | None:
    kept = [score for score in scores if not any(_is(score, entry) for entry in group)]
    if not kept:
        return None
    study = Study.of(kept, DICE_LIMITS)
    return primary(settings, study, resample(study, num_resamples))


def _is(score: Score, entry: dict) -> bool:
    return score.patient == entry["patient"] and entry.get("site") in (None, score.patient_site)
