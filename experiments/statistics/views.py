"""Whose models on whose patients: each view leaves one score per scheme, seed, patient and structure.

A model that all sites share is every site's own, so it is part of each view.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from experiments.statistics.averages import mean_of_present
from experiments.statistics.score import Score


def own_site(scores: Iterable[Score]) -> list[Score]:
    """Each site's model on its own patients."""
    return [score for score in scores if score.model_site in (None, score.patient_site)]


def of_model(scores: Iterable[Score], site: str) -> list[Score]:
    """One site's model on every site's patients: one row of the map of models and sites."""
    return [score for score in scores if score.model_site in (None, site)]


def cross_site(scores: Iterable[Score]) -> list[Score]:
    """The other sites' models on each site's patients, averaged over those models.

    Returns:
        Scores without ``model_site``; NaN where no other model has a number. Models that lack a score of a patient's structure
        that others have are left out of that average.
    """
    by_cell = defaultdict(list)
    for score in scores:
        if score.model_site != score.patient_site:
            by_cell[replace(score, model_site=None, value=0.0)].append(score.value)
    # Sorted, so that the order of the rows cannot change the last bit.
    return [replace(cell, value=float(mean_of_present(np.sort(values), axis=0))) for cell, values in by_cell.items()]
