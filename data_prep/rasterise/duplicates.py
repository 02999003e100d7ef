"""The same contour stored twice: exclusive or would erase it, so copies are left out first.

XiO writes up to 25 copies of a contour on one slice. They are no exact copies: a point more or less, and coordinates that were
rounded to 0.1 mm another way. In LUNG1-002 the outlines of all 62 copies lie within 0.071 mm of each other everywhere (half a
step of the last digit in x and in y) and cross; the next nearest outlines of that file are centimetres apart.

How much two contours overlap cannot tell a copy from a thin wall: the inner and the outer outline of a bladder wall or of the
skin have an intersection over union above 0.9 too (0.98 for 1 mm of skin on a body 200 mm across). What can is the distance
between the outlines, here at most three times what copies need, and that outlines of a wall, however thin, never meet.
"""

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

COPY_MM = 0.2
_MOST_SAMPLES = 200_000
_NESTED_SAMPLES = 64


def without_copies(outlines_mm: Sequence[np.ndarray]) -> list[int]:
    """Positions of the outlines that are no copy of an earlier one.

    Args:
        outlines_mm: (N, 2) each, millimetres within the slice, all of one slice.
    """
    corners = np.array([np.concatenate([points.min(axis=0), points.max(axis=0)]) for points in outlines_mm])
    kept: list[int] = []
    for number, outline in enumerate(outlines_mm):
        alike = np.abs(corners[kept] - corners[number]).max(axis=1, initial=0) <= COPY_MM
        if not any(is_copy(outlines_mm[kept[at]], outline) for at in np.flatnonzero(alike)):
            kept.append(number)
    return kept


def is_copy(first_mm: np.ndarray, second_mm: np.ndarray) -> bool:
    """Whether each of two closed outlines lies within COPY_MM of the other all along, and neither lies inside the other.

    Measured between samples that are as far apart as the limit: a distance of 0.17 mm is always a copy, one above 0.2 mm never.
    """
    if np.array_equal(first_mm, second_mm):
        return True
    longest = max(_edge_lengths(first_mm).sum(), _edge_lengths(second_mm).sum())
    spacing = max(COPY_MM, longest / _MOST_SAMPLES)
    first, second = _samples(first_mm, spacing), _samples(second_mm, spacing)
    if not (_lies_within(first, second, spacing) and _lies_within(second, first, spacing)):
        return False
    return not (_encloses(first_mm, second) or _encloses(second_mm, first))


def _encloses(outline: np.ndarray, samples: np.ndarray) -> bool:
    """Whether evenly chosen samples all lie inside an outline."""
    return all(_is_inside(outline, point) for point in samples[:: max(1, len(samples) // _NESTED_SAMPLES)])


def _is_inside(outline: np.ndarray, point: np.ndarray) -> bool:
    """Even-odd rule, on a line from the point to the right."""
    (x0, y0), (x1, y1) = outline.T, np.roll(outline, -1, axis=0).T
    crosses = (y0 <= point[1]) != (y1 <= point[1])
    at = x0[crosses] + (point[1] - y0[crosses]) * (x1[crosses] - x0[crosses]) / (y1[crosses] - y0[crosses])
    return bool(np.count_nonzero(point[0] < at) % 2)


def _lies_within(points: np.ndarray, others: np.ndarray, limit: float) -> bool:
    distances, _ = cKDTree(others).query(points, distance_upper_bound=limit)
    return bool(np.isfinite(distances).all())


def _samples(points: np.ndarray, spacing: float) -> np.ndarray:
    """Points along a closed outline, its own among them, at most ``spacing`` apart."""
    pieces = np.maximum(np.ceil(_edge_lengths(points) / spacing), 1).astype(int)
    share = (np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / np.repeat(pieces, pieces)
    steps = np.roll(points, -1, axis=0) - points
    return np.repeat(points, pieces, axis=0) + share[:, None] * np.repeat(steps, pieces, axis=0)


def _edge_lengths(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
