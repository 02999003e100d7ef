"""The surface of a mask, and how far two surfaces lie apart.

A surface voxel is a voxel of the mask with one of its six neighbours outside it; distances are between voxel centres. This is
the surface of MONAI's Hausdorff and average surface distance, so numbers compare with what is published with it.

The nearest point is searched in a k-d tree over the surface points, not in a distance transform over the box: the answer is
the same, the time follows the surface and not the volume, and a stray voxel at the far end of the scan costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from src.errors import MetricInputError
from src.evaluation.mask_pair import MaskPair


@dataclass(frozen=True, kw_only=True)
class SurfaceDistances:
    """Distances between two surfaces, in mm.

    Attributes:
        pred_to_truth_mm: float64 (N,), from each surface voxel of the prediction to the nearest of the truth.
        truth_to_pred_mm: float64 (M,), the other way.
    """

    pred_to_truth_mm: np.ndarray
    truth_to_pred_mm: np.ndarray


def surface_distances(pair: MaskPair) -> SurfaceDistances:
    """Both directions between the surface voxels of two masks.

    Raises:
        MetricInputError: a mask is empty; there is no distance to nothing.
    """
    pred, truth = surface_voxels(pair.pred_XYZ), surface_voxels(pair.truth_XYZ)
    return SurfaceDistances(
        pred_to_truth_mm=directed_distances_mm(pred, truth, pair.spacing_mm),
        truth_to_pred_mm=directed_distances_mm(truth, pred, pair.spacing_mm),
    )


def surface_voxels(mask_XYZ: np.ndarray) -> np.ndarray:
    """The voxels of a mask that have a neighbour outside it, of the six that share a face.

    Args:
        mask_XYZ: bool (X, Y, Z); beyond its edges is outside.

    Returns:
        bool (X, Y, Z); empty for an empty mask.
    """
    inner = mask_XYZ.copy()
    for axis in range(3):
        # Views with this axis in front: what is done to them is done to the arrays.
        along, mask = np.moveaxis(inner, axis, 0), np.moveaxis(mask_XYZ, axis, 0)
        along[1:] &= mask[:-1]
        along[:-1] &= mask[1:]
        along[:1] = False
        along[-1:] = False
    return mask_XYZ & ~inner


def directed_distances_mm(from_XYZ: np.ndarray, to_XYZ: np.ndarray, spacing_mm: Sequence[float]) -> np.ndarray:
    """Distance of every point of one surface to the nearest point of another.

    Args:
        from_XYZ, to_XYZ: bool (X, Y, Z), true at the points of each surface, on one grid.
        spacing_mm: of the grid, in the order of its axes.

    Returns:
        float64 (N,), in the order of ``np.argwhere(from_XYZ)``.

    Raises:
        MetricInputError: a surface has no point.
    """
    if not from_XYZ.any() or not to_XYZ.any():
        raise MetricInputError("expected two surfaces, found an empty mask; ask measure(), which decides what that means")
    # Good predictions share most of their surface with the truth: what lies on both needs no search.
    apart = ~to_XYZ[from_XYZ]
    distances = np.zeros(len(apart))
    if apart.any():
        tree = KDTree(np.argwhere(to_XYZ) * spacing_mm, leafsize=32, balanced_tree=False)
        distances[apart], _ = tree.query(np.argwhere(from_XYZ)[apart] * spacing_mm)
    return distances
