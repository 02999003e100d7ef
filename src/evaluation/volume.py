"""Volumes of masks and how they differ; a dose-volume constraint is read against them."""

import math

from src.evaluation.mask_pair import MaskPair


def voxel_cm3(spacing_mm: tuple[float, float, float]) -> float:
    """Volume of one voxel."""
    return math.prod(spacing_mm) / 1000


def pred_cm3(pair: MaskPair) -> float:
    """Volume of the prediction."""
    return pair.pred_voxels * voxel_cm3(pair.spacing_mm)


def truth_cm3(pair: MaskPair) -> float:
    """Volume of the truth."""
    return pair.truth_voxels * voxel_cm3(pair.spacing_mm)


def volume_difference_cm3(pair: MaskPair) -> float:
    """Prediction minus truth: above 0 when too much is predicted."""
    return (pair.pred_voxels - pair.truth_voxels) * voxel_cm3(pair.spacing_mm)


def relative_volume_difference(pair: MaskPair) -> float:
    """The difference as a share of the truth's volume: -1 for an empty prediction, NaN for an empty truth."""
    return (pair.pred_voxels - pair.truth_voxels) / pair.truth_voxels if pair.truth_voxels else math.nan
