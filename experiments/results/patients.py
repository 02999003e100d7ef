"""Patient by patient, with the seeds averaged: what the tables and plots of single patients show."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping

from experiments.results.scored_study import ScoredStudy
from experiments.statistics.study import Study
from experiments.statistics.views import own_site

MEASURES = ("dice", "hd95_mm", "surface_dice", "relative_volume_difference")

Cell = tuple[str, str, str, str]  # arm, patient's site, patient, structure


def patient_table(scored: ScoredStudy) -> list[dict]:
    """Every compared arm's last models on their own sites' patients.

    Returns:
        A row per arm, patient and contoured structure; None is a number that does not exist. ``statuses`` counts the seeds.
    """
    statuses: dict[Cell, Counter] = defaultdict(Counter)
    for row in scored.rows:
        if row.which == "last" and row.model_site in (None, row.patient_site):
            statuses[row.arm, row.patient_site, row.patient, row.structure][row.status] += 1
    values = {measure: _values(scored, measure) for measure in MEASURES}
    return [
        {
            **dict(zip(("arm", "patient_site", "patient", "structure"), cell, strict=True)),
            **{measure: of_measure.get(cell) for measure, of_measure in values.items()},
            "statuses": dict(sorted(statuses[cell].items())),
        }
        for cell in values["dice"]
    ]


def _values(scored: ScoredStudy, measure: str) -> Mapping[Cell, float | None]:
    scores = own_site(scored.scores(measure))
    if not scores:
        return {}
    study = Study.of(scores)
    found: dict[Cell, float | None] = {}
    for arm in study.schemes:
        series = study.series(arm)
        for row, (site, patient) in enumerate(study.patients):
            for column, structure in enumerate(study.structures):
                if series.has_score_PK[row, column]:
                    value = float(series.values_PK[row, column])
                    found[arm, site, patient, structure] = None if math.isnan(value) else value
    return found
