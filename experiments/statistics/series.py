"""One scheme's scores, or the paired difference of two schemes, as a table of patients × structures."""

import math
from dataclasses import dataclass, replace

import numpy as np

NO_LIMITS = (-math.inf, math.inf)


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """A table that can be averaged, resampled and tested, whatever it holds.

    Attributes:
        scheme: whose scores these are.
        minus: the scheme whose scores were subtracted, cell by cell; None for the scores themselves.
        site, structure: what the table was cut down to; None for all.
        values_PK: float64, the mean over seeds; NaN where there is no number.
        has_score_PK: bool, False where the table of scores has no row: not contoured.
        site_P: int, the site of each patient, 0 to number of sites − 1.
        patient_P: int, the position of each patient in the study, which is the one in the resamples.
        sites, structures: the names of the sites of ``site_P``, and of the columns.
        limits: lowest and highest number there can be, such as 0 and 1 for Dice; an interval ends there at the latest.
    """

    scheme: str
    minus: str | None = None
    site: str | None = None
    structure: str | None = None
    values_PK: np.ndarray
    has_score_PK: np.ndarray
    site_P: np.ndarray
    patient_P: np.ndarray
    sites: tuple[str, ...]
    structures: tuple[str, ...]
    limits: tuple[float, float] = NO_LIMITS

    def within(self, site: str | None = None, structure: str | None = None) -> "Series":
        """The part of one site, of one structure, or of one structure at one site."""
        rows = np.flatnonzero(self.site_P == self.sites.index(site)) if site else np.arange(len(self.site_P))
        columns = [self.structures.index(structure)] if structure else list(range(len(self.structures)))
        return replace(
            self,
            site=site or self.site,
            structure=structure or self.structure,
            values_PK=self.values_PK[np.ix_(rows, columns)],
            has_score_PK=self.has_score_PK[np.ix_(rows, columns)],
            site_P=np.zeros(len(rows), int) if site else self.site_P,
            patient_P=self.patient_P[rows],
            sites=(site,) if site else self.sites,
            structures=tuple(self.structures[column] for column in columns),
        )

    def less(self, other: "Series") -> "Series":
        """The paired difference to another scheme of the same study and view; NaN where one of them has no number."""
        return replace(
            self,
            minus=other.scheme,
            values_PK=self.values_PK - other.values_PK,
            has_score_PK=self.has_score_PK & other.has_score_PK,
            limits=(self.limits[0] - other.limits[1], self.limits[1] - other.limits[0]),
        )

    def only_where(self, keep_PK: np.ndarray) -> "Series":
        """The same table without the numbers of the other cells."""
        return replace(self, values_PK=np.where(keep_PK, self.values_PK, np.nan))
