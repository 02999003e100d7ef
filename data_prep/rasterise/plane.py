"""Contours in patient millimetres -> outlines in pixel coordinates, each in one plane between or on the slices.

A contour belongs to the slice that lies nearest to it, never to the image it refers to: in published sets the references of
whole collections point to images that do not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.dicom.objects import Contour, Grid
from src.errors import DicomError

TILT_LIMIT = 0.5  # slices that a point may lie off the middle of its contour
FARTHEST_PIXEL = 1 << 13  # what polygon.py can compute with exactly


@dataclass(frozen=True, kw_only=True)
class Outline:
    """One contour in the coordinates of a grid.

    Attributes:
        points_xy: (N, 2) float64, continuous pixel index; a pixel's centre is at whole numbers.
        middle_z: half-way between its lowest and its highest point, as a continuous slice index.
        plane_z: where its plane lies when the tilt that all contours of the ROI share is taken away; tells planes apart.
        tilt: how far its points lie off ``middle_z`` at most, in slices.
    """

    points_xy: np.ndarray
    middle_z: float
    plane_z: float
    tilt: float


def place(contours: Sequence[Contour], grid: Grid) -> list[Outline]:
    """Expresses contours in the coordinates of a grid.

    Args:
        contours: at least one.
        grid: any, also oblique, mirrored or with pixels that are not square.

    Returns:
        one outline per contour, in their order.

    Raises:
        DicomError: a point that is not finite or absurdly far away, or a contour that is not drawn along the grid's slices.
    """
    starts = np.cumsum([0] + [len(contour.points_mm) for contour in contours])[:-1]
    index = to_index(np.concatenate([contour.points_mm for contour in contours]), grid)
    middle, half = _middle_and_half(index[:, 2], starts)
    if (tilt := half.max()) > TILT_LIMIT:
        raise DicomError(
            f"expected contours along the CT's slices, {grid.spacing_mm[2]:g} mm apart, found one whose points lie up to "
            f"{tilt * grid.spacing_mm[2]:.1f} mm off its middle: it was drawn on another plane; export it on the CT's slices"
        )
    plane, _ = _middle_and_half(_without_common_tilt(index, starts), starts)
    outlines = np.split(index[:, :2], starts[1:])
    return [
        Outline(points_xy=points, middle_z=float(at), plane_z=float(of_plane), tilt=float(off))
        for points, at, of_plane, off in zip(outlines, middle, plane, half, strict=True)
    ]


def to_index(points_mm: np.ndarray, grid: Grid) -> np.ndarray:
    """Patient millimetres -> continuous voxel index.

    Args:
        points_mm: (N, 3) LPS.
        grid: whose index.

    Returns:
        (N, 3) float64 in the order x, y, z.

    Raises:
        DicomError: a point that is not finite or lies more than FARTHEST_PIXEL voxels away.
    """
    with np.errstate(all="ignore"):
        index = np.linalg.solve(grid.direction * np.asarray(grid.spacing_mm), (points_mm - grid.origin_mm).T).T
        far = not (np.abs(index) < FARTHEST_PIXEL).all()
    if far:
        raise DicomError(f"expected points near the CT, found one that is no number or more than {FARTHEST_PIXEL} voxels away")
    return index


def _middle_and_half(values: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    return (low + high) / 2, (high - low) / 2


def _without_common_tilt(index: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Slice index of every point, less the slope over x and y that fits all contours best; 0 for contours along the slices."""
    counts = np.diff(np.append(starts, len(index)))
    centred = index - np.repeat(np.add.reduceat(index, starts) / counts[:, None], counts, axis=0)
    slope, *_ = np.linalg.lstsq(centred[:, :2], centred[:, 2], rcond=None)
    return index[:, 2] - (index[:, :2] - index[:, :2].mean(axis=0)) @ slope
