"""The Dice coefficient and what an empty mask means for it.

* not contoured: unknown, never in a mean
* both masks empty: a true absence; NaN, counted apart, never in a mean
* one mask empty: 0
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from src.errors import MetricInputError


def dice(pred_XYZ: np.ndarray, truth_XYZ: np.ndarray) -> float:
    """Overlap of two masks, 2 |A ∩ B| / (|A| + |B|).

    Args:
        pred_XYZ, truth_XYZ: bool arrays, or 0 and 1, of one shape (X, Y, Z).

    Returns:
        A float in [0, 1]; NaN when both masks are empty, 0 when one is.

    Raises:
        MetricInputError: the shapes differ.

    Source: Dice 1945, doi:10.2307/1932409.
    """
    if pred_XYZ.shape != truth_XYZ.shape:
        raise MetricInputError(f"expected two masks of one shape, found {pred_XYZ.shape} and {truth_XYZ.shape}")
    pred, truth = pred_XYZ.astype(bool), truth_XYZ.astype(bool)
    return dice_from_counts(int((pred & truth).sum()), int(pred.sum()), int(truth.sum()))


def dice_from_counts(overlap_voxels: int, pred_voxels: int, truth_voxels: int) -> float:
    """``dice`` from the number of voxels in both masks, in the prediction and in the truth."""
    total = pred_voxels + truth_voxels
    return 2 * overlap_voxels / total if total else math.nan


@dataclass(frozen=True, kw_only=True)
class StructureDice:
    """Dice of one structure over the cases of one group.

    Attributes:
        mean: mean over ``num_scored`` cases; NaN when there is none.
        num_scored: cases with a Dice.
        num_absent: cases in which both masks are empty.
    """

    mean: float
    num_scored: int
    num_absent: int


def summarise(cases: Iterable[Mapping[str, float]], structures: Iterable[str]) -> dict[str, StructureDice]:
    """Per structure, the mean Dice over the cases that have one.

    Args:
        cases: per case, Dice by structure; a structure that is not there was not contoured, NaN is a true absence.
        structures: the structures to summarise, in order.
    """
    cases = list(cases)
    summary = {}
    for structure in structures:
        values = [case[structure] for case in cases if structure in case]
        scored = [value for value in values if not math.isnan(value)]
        mean = math.fsum(scored) / len(scored) if scored else math.nan
        summary[structure] = StructureDice(mean=mean, num_scored=len(scored), num_absent=len(values) - len(scored))
    return summary


def macro_mean(summary: Mapping[str, StructureDice]) -> float:
    """Mean over the structures that have a Dice, each counting once; NaN when none has."""
    means = [entry.mean for entry in summary.values() if entry.num_scored]
    return math.fsum(means) / len(means) if means else math.nan
