"""No figure of a fingerprint comes from fewer than five patients.

Counts below five are told as "<5", and no totals are given from which one could be subtracted. A percentile of a few patients
would be the value of one of them, so the sorted values are first replaced, in groups of at least five neighbours, by the mean
of their group, and percentiles are taken of those means. Then every number is a mean over at least five patients, and rounded.

It does not protect from subtraction over time: two fingerprints, made before and after one patient came, differ by that
patient. A site shares one per study.

Source: k-anonymity by microaggregation, Domingo-Ferrer and Torra 2005, Data Mining and Knowledge Discovery 11:195.
"""

from collections.abc import Sequence

import numpy as np

FEWEST_PATIENTS = 5
TOO_FEW = f"<{FEWEST_PATIENTS}"


def shareable_count(count: int) -> int | str:
    """A number of patients, or "<5"; 0 stays 0, which tells of no patient."""
    return count if count == 0 or count >= FEWEST_PATIENTS else TOO_FEW


def shareable_mean(values: Sequence[float]) -> float | None:
    """The mean over patients, or None when they are fewer than five."""
    return float(np.mean(values)) if len(values) >= FEWEST_PATIENTS else None


def shareable_percentiles(values: Sequence[float], percents: Sequence[float]) -> dict[str, float] | None:
    """Percentiles over patients, each a mean over at least five of them.

    Args:
        values: one per patient.
        percents: 0 to 100.

    Returns:
        Percent as text -> value; None when the patients are fewer than five.
    """
    if len(values) < FEWEST_PATIENTS:
        return None
    groups = np.array_split(np.sort(np.asarray(values, float)), len(values) // FEWEST_PATIENTS)
    means = np.concatenate([np.full(len(group), group.mean()) for group in groups])
    found = np.percentile(means, percents, method="inverted_cdf")
    return {f"{percent:g}": float(value) for percent, value in zip(percents, found, strict=True)}


def round_to_digits(value: float, digits: int = 2) -> float:
    """A number with so many significant digits: 1234 -> 1200.0, 0.0567 -> 0.057."""
    return float(f"{value:.{digits}g}")
