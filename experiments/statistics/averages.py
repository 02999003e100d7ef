"""The two means of a table of patients × structures.

* macro: over the patients of a site and structure, then over the site's structures, then over sites, so a small site counts
  as much as a large one and a rare structure as much as a common one;
* patient-weighted: over each patient's structures, then over all patients, so each patient counts once.

What has no number is left out at the step where it is missing; it is never a 0 or a 1. Both are a weighted sum of the means of
cells (a site and a structure, or a site and its patients' own means), which is what the bootstrap works on.

Axes: P patients, K structures, J sites.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Weighting = Literal["macro", "patient"]
WEIGHTINGS: tuple[Weighting, ...] = get_args(Weighting)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """A mean, taken apart.

    Attributes:
        values_PK: float64, NaN where there is no number; for the patient-weighted mean one column, each patient's own mean.
        site_P: int, 0 to J − 1, the site of each patient.
        means_JK: of each site's patients; NaN for a cell without a number.
        share_JK: how much of the mean each cell is; sums to 1, and is 0 for a cell without a number.
    """

    values_PK: np.ndarray
    site_P: np.ndarray
    means_JK: np.ndarray
    share_JK: np.ndarray

    @property
    def mean(self) -> float:
        """NaN when there is no number at all."""
        return float((self.share_JK * np.nan_to_num(self.means_JK)).sum()) if self.share_JK.any() else float("nan")

    @property
    def num_JK(self) -> np.ndarray:
        """int, the patients with a number in each cell."""
        return _by_site(~np.isnan(self.values_PK), self.site_P, np.sum)

    @property
    def lone_share(self) -> float:
        """How much of the mean comes from cells of a single patient, whose variation nothing shows."""
        return float(self.share_JK[self.num_JK == 1].sum())


def cells_of(values_PK: np.ndarray, site_P: np.ndarray, weighting: Weighting) -> Cells:
    """Takes a mean apart.

    Args:
        values_PK: float64, NaN where there is no number.
        site_P: int, 0 to J − 1, the site of each patient.
        weighting: of ``WEIGHTINGS``.
    """
    if weighting == "patient":
        values_PK = patient_means(values_PK)[:, None]
    num_JK = _by_site(~np.isnan(values_PK), site_P, np.sum)
    has_JK = num_JK > 0
    if weighting == "macro":
        share_JK = has_JK / np.maximum(has_JK.sum(axis=1, keepdims=True), 1) / max(1, has_JK.any(axis=1).sum())
    else:
        share_JK = num_JK / max(1, num_JK.sum())
    means_JK = _by_site(values_PK, site_P, mean_of_present)
    return Cells(values_PK=values_PK, site_P=site_P, means_JK=means_JK, share_JK=share_JK)


def patient_means(values_PK: np.ndarray) -> np.ndarray:
    """Each patient's mean over the structures that have a number: float64 (P,), NaN for a patient without any."""
    return mean_of_present(values_PK, axis=1)


def mean_of_present(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean over one axis of the values that are not NaN; NaN where there is none."""
    has = ~np.isnan(values)
    number = has.sum(axis=axis)
    return np.where(number > 0, np.where(has, values, 0.0).sum(axis=axis) / np.maximum(number, 1), np.nan)


def _by_site(values_PK: np.ndarray, site_P: np.ndarray, summary) -> np.ndarray:
    return np.stack([summary(values_PK[site_P == site], axis=0) for site in range(int(site_P.max()) + 1)])
