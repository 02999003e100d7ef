"""Two masks that may be compared: on one grid, with voxels of a known size, cut to the box around both.

No measure changes by the cut, since everything outside the box is background in both masks, and everything outside the scan
counts as background too: where an organ leaves the scan, its cut face is surface, as in MONAI and ``surface-distance``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.errors import MetricInputError

# Finer or coarser than any scanner's: lengths in metres, or a volume's shape in the place of its spacing.
SPACING_RANGE_MM = (0.01, 100.0)


@dataclass(frozen=True, kw_only=True)
class MaskPair:
    """A prediction and what it is compared with.

    Attributes:
        pred_XYZ, truth_XYZ: bool (X, Y, Z), the box around both masks; without a voxel when both are empty.
        spacing_mm: size of a voxel along X, Y and Z.
        pred_voxels, truth_voxels: how many voxels each mask has.
    """

    pred_XYZ: np.ndarray
    truth_XYZ: np.ndarray
    spacing_mm: tuple[float, float, float]
    pred_voxels: int
    truth_voxels: int


def pair_masks(pred_XYZ: np.ndarray, truth_XYZ: np.ndarray, spacing_mm: Sequence[float]) -> MaskPair:
    """Checks two masks and cuts them to the box around both.

    Args:
        pred_XYZ, truth_XYZ: bool (X, Y, Z), or integers that are 0 and 1 alone, on one grid.
        spacing_mm: three numbers, in the order of the axes.

    Raises:
        MetricInputError: the shapes differ or are not of three axes, a mask is not of 0 and 1, or the spacing is not three
            numbers within ``SPACING_RANGE_MM``.
    """
    pred, truth = _as_bool(pred_XYZ, "prediction"), _as_bool(truth_XYZ, "truth")
    if pred.shape != truth.shape:
        raise MetricInputError(
            f"expected two masks of one shape, found {pred.shape} and {truth.shape}; bring the prediction to the CT's own grid"
        )
    spacing = _checked_spacing(spacing_mm)
    box = tuple(slice(*_union_range(one, other)) for one, other in zip(_ranges(pred), _ranges(truth), strict=True))
    pred, truth = np.ascontiguousarray(pred[box]), np.ascontiguousarray(truth[box])
    return MaskPair(
        pred_XYZ=pred,
        truth_XYZ=truth,
        spacing_mm=spacing,
        pred_voxels=int(np.count_nonzero(pred)),
        truth_voxels=int(np.count_nonzero(truth)),
    )


def _as_bool(mask_XYZ: np.ndarray, role: str) -> np.ndarray:
    mask = np.asarray(mask_XYZ)
    if mask.ndim != 3:
        raise MetricInputError(
            f"expected a {role} of three axes, found shape {mask.shape}; compare one structure at a time, and none that is not "
            "contoured"
        )
    if mask.dtype == bool:
        return mask
    if not np.issubdtype(mask.dtype, np.integer):
        raise MetricInputError(f"expected a {role} of bool or of 0 and 1, found {mask.dtype}; decide each voxel first")
    if mask.size and (mask.min() < 0 or mask.max() > 1):
        raise MetricInputError(
            f"expected a {role} of 0 and 1, found values from {mask.min()} to {mask.max()}; give one label at a time"
        )
    return mask.astype(bool)


def _checked_spacing(spacing_mm: Sequence[float]) -> tuple[float, float, float]:
    low, high = SPACING_RANGE_MM
    try:
        spacing = tuple(float(value) for value in spacing_mm)
    except (TypeError, ValueError):
        spacing = ()
    if len(spacing) != 3 or not all(low <= value <= high for value in spacing):
        raise MetricInputError(f"expected a spacing of three numbers from {low:g} to {high:g} mm, found {spacing_mm}")
    return spacing


def _ranges(mask: np.ndarray) -> list[tuple[float, float]]:
    """First voxel and one past the last along each axis; (inf, 0) when the mask is empty.

    The axis that memory runs along slowest is folded first: that is one fast pass, and the rest is a plane.
    """
    slowest = int(np.argmax(mask.strides))
    plane = mask.any(axis=slowest)
    first, second = (axis for axis in range(3) if axis != slowest)
    ranges: list[tuple[float, float]] = [(math.inf, 0)] * 3
    ranges[first], ranges[second] = _range(plane.any(axis=1)), _range(plane.any(axis=0))
    if ranges[first][1]:
        window = [slice(None)] * 3
        window[first], window[second] = slice(*ranges[first]), slice(*ranges[second])
        ranges[slowest] = _range(mask[tuple(window)].any(axis=(first, second)))
    return ranges


def _range(occupied: np.ndarray) -> tuple[float, float]:
    found = np.flatnonzero(occupied)
    return (int(found[0]), int(found[-1]) + 1) if len(found) else (math.inf, 0)


def _union_range(one: tuple[float, float], other: tuple[float, float]) -> tuple[int, int]:
    first, last = min(one[0], other[0]), max(one[1], other[1])
    return (int(first), int(last)) if last else (0, 0)
