"""A polygon with holes as one outline: each hole is joined to what lies around it by a bridge that is walked both ways.

DICOM PS3.3 C.8.8.6.3 (contours of type CLOSED_PLANAR): an inner hole is drawn by a keyhole, whose two edges lie on each other.
Holes turn the other way round than the outer ring, so the outline has winding number 1 inside and 0 in a hole: readers that
count crossings and readers that count windings agree on it.

A bridge runs along a row between two rows of pixel centres, from one ring to the next with nothing between them. Of all such
bridges the shortest that make one piece are taken. There always are enough: on the rows chosen here every hole is crossed, and
right of the right-most crossing of any group of holes comes another ring.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, order=True)
class _Door:
    """Where a row meets a ring: on the edge behind its point number ``edge``, at ``share`` of its length."""

    ring: int
    edge: int
    share: float
    point_xy: tuple[float, float]


_Bridge = tuple[_Door, _Door]


def join_holes(rings: Sequence[np.ndarray]) -> np.ndarray:
    """One closed outline of an area with holes.

    Args:
        rings: (N, 2) pixel index x, y: the outer ring, then holes that turn the other way round; none crosses another.

    Returns:
        (M, 2); the outer ring itself where there are no holes.
    """
    if len(rings) == 1:
        return rings[0]
    rows = sorted({_row_through(hole) for hole in rings[1:]})
    bridges = [bridge for row in rows for bridge in _bridges(rings, row)]
    bridges.sort(key=lambda ends: ends[1].point_xy[0] - ends[0].point_xy[0])
    return _walk(rings, _shortest_tree(bridges, len(rings)))


def _row_through(ring_xy: np.ndarray) -> float:
    """A row that crosses a hole near its highest point, half-way to the pixel centres below."""
    top = float(ring_xy[:, 1].max())
    return (top + np.ceil(top) - 1) / 2


def _bridges(rings: Sequence[np.ndarray], row: float) -> Iterator[_Bridge]:
    """Pieces of a row that lie inside and lead from one ring to another."""
    doors = [door for number, ring in enumerate(rings) for door in _doors(number, ring, row)]
    doors.sort(key=lambda door: door.point_xy)
    for left, right in zip(doors[::2], doors[1::2], strict=True):  # from outside to inside and out again
        if left.ring != right.ring:
            yield left, right


def _doors(number: int, ring_xy: np.ndarray, row: float) -> Iterator[_Door]:
    next_xy = np.roll(ring_xy, -1, axis=0)
    for edge in np.flatnonzero((ring_xy[:, 1] <= row) != (next_xy[:, 1] <= row)):
        (x0, y0), (x1, y1) = ring_xy[edge], next_xy[edge]
        share = float((row - y0) / (y1 - y0))
        yield _Door(number, int(edge), share, (float(x0 + share * (x1 - x0)), row))


def _shortest_tree(bridges: Sequence[_Bridge], num_rings: int) -> list[_Bridge]:
    """The first bridges, by their order, that join all rings without a circle (Kruskal 1956)."""
    joined_to, chosen = list(range(num_rings)), []
    for ends in bridges:
        one, other = (_root(joined_to, end.ring) for end in ends)
        if one != other:
            joined_to[one] = other
            chosen.append(ends)
    return chosen


def _root(joined_to: list[int], ring: int) -> int:
    while joined_to[ring] != ring:
        joined_to[ring] = ring = joined_to[joined_to[ring]]
    return ring


def _walk(rings: Sequence[np.ndarray], bridges: Sequence[_Bridge]) -> np.ndarray:
    """The rings' points in one round. A door is two points: one leads over the bridge, the other one comes from there."""
    points, onward, place_of = [], [], {}
    for number, ring in enumerate(rings):
        doors = sorted(door for ends in bridges for door in ends if door.ring == number)
        before = [door.edge + 1 for door in doors for _ in range(2)]
        extended = np.insert(ring, before, [door.point_xy for door in doors for _ in range(2)], axis=0) if doors else ring
        begin = len(onward)
        place_of |= {door: begin + door.edge + 1 + 2 * earlier for earlier, door in enumerate(doors)}
        points.append(extended)
        onward += [*range(begin + 1, begin + len(extended)), begin]
    for one, other in bridges:
        onward[place_of[one]], onward[place_of[other]] = place_of[other] + 1, place_of[one] + 1
    order = [0]
    while onward[order[-1]]:
        order.append(onward[order[-1]])
    return np.concatenate(points)[order]
