"""Where to cut a patient so that three planes show as many structures as possible. All in patient millimetres (LPS)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

AXIAL, CORONAL, SAGITTAL = 2, 1, 0  # the LPS axis that a plane is perpendicular to
BODY_HU = -300
MARGIN_MM = 20.0
SMALLEST_BOX_MM = 160.0
# So many voxels say where a structure lies; the others only cost time.
MOST_POINTS = 20_000
# What a structure still counts for once an earlier plane shows it.
SEEN_WEIGHT = 0.3


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a mask lies.

    Attributes:
        first_mm, last_mm: (3,) corners of the box around it, voxel edges included.
        points_mm: (N, 3) centres of its voxels, evenly thinned out when there are many.
    """

    first_mm: np.ndarray
    last_mm: np.ndarray
    points_mm: np.ndarray


def to_mm(image: sitk.Image, index_xyz: np.ndarray) -> np.ndarray:
    """(..., 3) continuous voxel index -> LPS millimetres."""
    direction = np.array(image.GetDirection()).reshape(3, 3)
    return np.array(image.GetOrigin()) + (np.asarray(index_xyz, float) * image.GetSpacing()) @ direction.T


def box_mm(image: sitk.Image, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The LPS box around the voxels ``first`` to ``last`` (index x, y, z, both included), voxel edges included."""
    ends = np.stack([np.asarray(first, float) - 0.5, np.asarray(last, float) + 0.5])
    corners = np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    corners_mm = to_mm(image, corners)
    return corners_mm.min(axis=0), corners_mm.max(axis=0)


def place_of(mask: sitk.Image) -> Place | None:
    """Where a mask lies, or None when it is empty."""
    inside_ZYX = sitk.GetArrayViewFromImage(mask)
    rows_ZY = inside_ZYX.max(axis=2) > 0
    if not rows_ZY.any():
        return None
    z, y = np.flatnonzero(rows_ZY.any(axis=1)), np.flatnonzero(rows_ZY.any(axis=0))
    x = np.flatnonzero(inside_ZYX[z[0] : z[-1] + 1, y[0] : y[-1] + 1].max(axis=(0, 1)) > 0)
    crop_ZYX = inside_ZYX[z[0] : z[-1] + 1, y[0] : y[-1] + 1, x[0] : x[-1] + 1]
    flat = np.flatnonzero(crop_ZYX > 0)
    thinned = np.unravel_index(flat[:: -(-len(flat) // MOST_POINTS)], crop_ZYX.shape)
    first, last = np.array([x[0], y[0], z[0]]), np.array([x[-1], y[-1], z[-1]])
    first_mm, last_mm = box_mm(mask, first, last)
    return Place(first_mm=first_mm, last_mm=last_mm, points_mm=to_mm(mask, np.stack(thinned[::-1], axis=1) + first))


def choose_box(ct: sitk.Image, places: Mapping[str, Place]) -> tuple[np.ndarray, np.ndarray]:
    """What the picture shows: the box around all masks, or around the body without any, with a margin and within the CT.

    Returns:
        (3,) first and (3,) last corner in LPS millimetres.
    """
    ct_first, ct_last = box_mm(ct, np.zeros(3), np.array(ct.GetSize()) - 1)
    if places:
        first = np.min([place.first_mm for place in places.values()], axis=0)
        last = np.max([place.last_mm for place in places.values()], axis=0)
    else:
        body = np.argwhere(sitk.GetArrayViewFromImage(ct)[::2, ::4, ::4] > BODY_HU)[:, ::-1] * (4, 4, 2)
        first, last = box_mm(ct, body.min(axis=0), body.max(axis=0)) if len(body) else (ct_first, ct_last)
    missing = np.maximum(SMALLEST_BOX_MM - (last - first) - 2 * MARGIN_MM, 0) / 2
    return np.maximum(first - MARGIN_MM - missing, ct_first), np.minimum(last + MARGIN_MM + missing, ct_last)


def choose_planes(ct: sitk.Image, places: Mapping[str, Place], box: tuple[np.ndarray, np.ndarray]) -> dict[int, float]:
    """The plane of each kind that shows most; every structure counts by its share of its own largest section.

    So a lens weighs as much as a lung, and the two planes after the axial one look for what it left out. A plane runs through
    the centres of voxels where the grid lies along the patient's axes.

    Args:
        ct: the CT.
        places: of the masks that are not empty.
        box: what the picture shows; without a mask the planes cut its middle.

    Returns:
        AXIAL, CORONAL, SAGITTAL -> position along that LPS axis in millimetres.
    """
    middle_mm = to_mm(ct, np.array(ct.GetSize()) // 2)
    across = np.abs(np.array(ct.GetDirection()).reshape(3, 3)).argmax(axis=1)  # the grid's axis nearest to each patient axis
    planes, seen = {}, set()
    for axis in (AXIAL, CORONAL, SAGITTAL):
        step_mm = ct.GetSpacing()[across[axis]]
        counts = {
            name: np.rint((place.points_mm[:, axis] - middle_mm[axis]) / step_mm).astype(int) for name, place in places.items()
        }
        if not counts:
            planes[axis] = middle_mm[axis] + step_mm * np.rint((np.mean(box, axis=0)[axis] - middle_mm[axis]) / step_mm)
            continue
        first = min(steps.min() for steps in counts.values())
        areas = {name: np.bincount(steps - first) for name, steps in counts.items()}
        best = _best_step(areas, seen)
        seen |= {name for name, area in areas.items() if best < len(area) and area[best]}
        planes[axis] = middle_mm[axis] + step_mm * (first + best)
    return planes


def _best_step(areas: Mapping[str, np.ndarray], seen: set[str]) -> int:
    score = np.zeros(max(map(len, areas.values())))
    for name, area in areas.items():
        score[: len(area)] += (SEEN_WEIGHT if name in seen else 1.0) * area / area.max()
    best = np.flatnonzero(score >= 0.99 * score.max())
    return int(best[len(best) // 2])
