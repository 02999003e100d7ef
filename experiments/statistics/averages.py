"""The two means of a table of patients × structures, on all patients or on many resamples of them at once.

* macro: over the patients of a site and structure, then over the site's structures, then over sites, so a small site counts
  as much as a large one and a rare structure as much as a common one;
* patient-weighted: over each patient's structures, then over all patients, so each patient counts once.

What has no number is left out at the step where it is missing; it is never a 0 or a 1.

Axes: R resamples, P patients, K structures, J sites.
"""

from typing import Literal, get_args

import numpy as np

Weighting = Literal["macro", "patient"]
WEIGHTINGS: tuple[Weighting, ...] = get_args(Weighting)


def average(values_PK: np.ndarray, site_P: np.ndarray, weights_PR: np.ndarray, weighting: Weighting) -> np.ndarray:
    """The mean of every resample.

    Args:
        values_PK: float64, NaN where there is no number.
        site_P: int, 0 to J − 1, the site of each patient.
        weights_PR: how often each resample holds each patient; one column of ones is the mean of the patients themselves.
        weighting: of ``WEIGHTINGS``.

    Returns:
        float64 (R,); NaN when there is no number at all.
    """
    return _macro(values_PK, site_P, weights_PR) if weighting == "macro" else _by_patient(values_PK, site_P, weights_PR)


def cell_means(values_PK: np.ndarray, site_P: np.ndarray, weights_PR: np.ndarray) -> np.ndarray:
    """The mean of each site and structure in every resample.

    A resample that drew none of the patients who have the structure keeps the observed mean. Leaving the structure out there
    would make the average jump by how hard that structure is, which says nothing about the scheme.

    Returns:
        float64 (J, K, R); NaN where a site has no number for a structure.
    """
    has_KP = np.isfinite(values_PK).astype(float).T
    zeroed_KP = np.nan_to_num(values_PK).T
    means_JKR = np.empty((int(site_P.max(initial=-1)) + 1, values_PK.shape[1], weights_PR.shape[1]))
    for site, means_KR in enumerate(means_JKR):
        here = np.flatnonzero(site_P == site)
        site_weights_PR = weights_PR[here]
        drawn_KR = has_KP[:, here] @ site_weights_PR
        observed_K1 = mean_of_present(values_PK[here], axis=0)[:, None]
        means_KR[:] = np.where(drawn_KR > 0, zeroed_KP[:, here] @ site_weights_PR / np.maximum(drawn_KR, 1), observed_K1)
    return means_JKR


def patient_means(values_PK: np.ndarray) -> np.ndarray:
    """Each patient's mean over the structures that have a number: float64 (P,), NaN for a patient without any."""
    return mean_of_present(values_PK, axis=1)


def mean_of_present(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean over one axis of the values that are not NaN; NaN where there is none."""
    has = ~np.isnan(values)
    number = has.sum(axis=axis)
    return np.where(number > 0, np.where(has, values, 0.0).sum(axis=axis) / np.maximum(number, 1), np.nan)


def _macro(values_PK: np.ndarray, site_P: np.ndarray, weights_PR: np.ndarray) -> np.ndarray:
    return mean_of_present(mean_of_present(cell_means(values_PK, site_P, weights_PR), axis=1), axis=0)


def _by_patient(values_PK: np.ndarray, site_P: np.ndarray, weights_PR: np.ndarray) -> np.ndarray:
    """Sites by their patients, not by their draws: a resample holds one patient less of each site."""
    patient_P = patient_means(values_PK)
    site_JR = cell_means(patient_P[:, None], site_P, weights_PR)[:, 0]
    patients_J = np.bincount(site_P[~np.isnan(patient_P)], minlength=len(site_JR))
    if not patients_J.any():
        return np.full(weights_PR.shape[1], np.nan)
    return patients_J @ np.nan_to_num(site_JR) / patients_J.sum()
