"""Weighted means of tensors, and of the head's rows over those who trained them.

    w = Σ_s n_s w_s / Σ_s n_s        row c:  n_sc, the cases of s in which structure c is contoured, in place of n_s

The partial-label average of FedAvg (McMahan et al. 2017, arXiv:1602.05629, algorithm 1), on plain arrays; what calls it for
OpenFL is ``partial_label_average``.
"""

import math
from collections.abc import Mapping

import numpy as np


def average(tensors: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """The weighted mean of the sites' tensors; the same bits whatever the order of the sites.

    Args:
        tensors: by site, arrays of one shape.
        weights: by site, at least 0, not all 0.

    Returns:
        float32 array, summed in float64.
    """
    sites = sorted(tensors)
    total = math.fsum(weights[site] for site in sites)
    assert total > 0, "the aggregator refuses a round in which nobody trained"
    mean = np.zeros(tensors[sites[0]].shape, dtype=np.float64)
    for site in sites:
        mean += tensors[site].astype(np.float64) * weights[site]
    return (mean / total).astype(np.float32)


def average_rows(tensors: Mapping[str, np.ndarray], cases_SC: Mapping[str, np.ndarray], previous: np.ndarray) -> np.ndarray:
    """The mean of each row over the sites that trained it.

    Args:
        tensors: by site, arrays (C, …) with one row per structure.
        cases_SC: by site, training cases in which each structure is contoured, (C,).
        previous: the (C, …) array all sites began with; a row that nobody trained is taken from it unchanged.

    Returns:
        float32 array (C, …).
    """
    rows = np.array(previous, dtype=np.float32)
    for channel in range(len(rows)):
        weights = {site: float(cases_SC[site][channel]) for site in tensors}
        if math.fsum(weights.values()) > 0:
            rows[channel] = average({site: tensors[site][channel] for site in tensors}, weights)
    return rows
