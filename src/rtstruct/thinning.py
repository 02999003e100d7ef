"""Points of an outline that say nothing: those within a small distance of the line through their neighbours.

All rings of a structure at once: in each turn every second point of a ring is looked at, and the ones that may go do. A piece
keeps account of how far the points that it stands for may lie off it, so errors of several turns do not add up unseen.
"""

from collections.abc import Sequence

import numpy as np

FEWEST_POINTS = 8  # a ring of fewer points is left as it is
_MOST_TURNS = 12


def thin_rings(rings: Sequence[np.ndarray], tolerance: float) -> list[np.ndarray]:
    """Closed rings with fewer points.

    Args:
        rings: (N, 2) each, N at least 3, in units of length that are the same in both directions.
        tolerance: how far any point left out may lie off the new outline.

    Returns:
        As many rings, of at least half ``FEWEST_POINTS`` or of all their points; every point is one of theirs, in their order.
    """
    if not rings:
        return []
    points = np.concatenate(rings)
    ring_of = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    off = np.zeros(len(points))  # of the piece that begins at each point
    idle = 0
    for turn in range(_MOST_TURNS):
        going, after = _removable(points, ring_of, off, turn % 2, tolerance)
        idle = 0 if going.any() else idle + 1
        if idle == 2:
            break
        off[np.flatnonzero(going) - 1] = after  # the first point of a ring never goes, so what is before one is its own ring's
        points, ring_of, off = points[~going], ring_of[~going], off[~going]
    return np.split(points, np.flatnonzero(np.diff(ring_of)) + 1)


def _removable(
    points: np.ndarray, ring_of: np.ndarray, off: np.ndarray, parity: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Which points may go, no two of them neighbours; and, for these, how far off the new pieces are at most."""
    count = np.bincount(ring_of)
    first = np.cumsum(count) - count
    place = np.arange(len(points)) - first[ring_of]
    asked = np.flatnonzero((place % 2 != parity) & (place > 0) & (count[ring_of] >= FEWEST_POINTS))
    following = asked + 1
    last = following == (first + count)[ring_of[asked]]
    following[last] = first[ring_of[asked[last]]]
    distance = _from_piece(points[asked], points[asked - 1], points[following])
    after = distance + np.maximum(off[asked - 1], off[asked])
    fine = after <= tolerance
    going = np.zeros(len(points), bool)
    going[asked[fine]] = True
    return going, after[fine]


def _from_piece(points: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    along, offset = end - begin, points - begin
    share = np.clip((offset * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-30), 0, 1)
    return np.linalg.norm(offset - share[:, None] * along, axis=1)
