"""What stands behind a mean, so that no number is read without its counts."""

from dataclasses import dataclass

import numpy as np

from experiments.statistics.series import Series


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Of one mean or one paired difference.

    Every patient × structure of the view is scored, absent or missing. Of a difference, a cell is scored when both schemes have
    a number, missing when one has no score, and else absent.

    Attributes:
        num_sites: with at least one scored cell.
        num_patients: with at least one scored cell.
        num_incomplete: of those, the ones that lack a number for at least one structure of the view.
        num_unscored: patients without any scored cell.
        num_scored: patient × structure cells with a number; only these are in the mean.
        num_absent: true absences, both masks empty; in no mean.
        num_missing: not contoured (or not predicted, by a model that never learned the structure); in no mean.
    """

    num_sites: int
    num_patients: int
    num_incomplete: int
    num_unscored: int
    num_scored: int
    num_absent: int
    num_missing: int


def count(series: Series) -> Counts:
    """Counts the cells and patients of a series."""
    scored_PK = ~np.isnan(series.values_PK)
    scored_P = scored_PK.any(axis=1)
    return Counts(
        num_sites=len(np.unique(series.site_P[scored_P])),
        num_patients=int(scored_P.sum()),
        num_incomplete=int((scored_P & ~scored_PK.all(axis=1)).sum()),
        num_unscored=int((~scored_P).sum()),
        num_scored=int(scored_PK.sum()),
        num_absent=int((series.has_score_PK & ~scored_PK).sum()),
        num_missing=int((~series.has_score_PK).sum()),
    )
