"""The outline of a structure on one slice, below the pixel: where its field passes zero.

Marching squares by contourpy: between a pixel centre inside and its neighbour outside, the outline crosses where the line
through their two values is zero. So exactly the centres above zero are enclosed, whatever happens between them.
"""

import numpy as np
from contourpy import FillType, contour_generator

# No outline comes nearer to a pixel's centre, along the line to its neighbour, than this share of their distance. Else the
# rounding of coordinates, or another reader's, would decide whether the centre is inside.
NEAREST_CENTRE = 0.05
# Of the largest value: what is nearer to zero counts as this far from it, so that no crossing falls onto a centre.
_NEARLY_ZERO = 1e-6
Polygon = list[np.ndarray]


def trace_slice(values_XY: np.ndarray) -> list[Polygon]:
    """The areas of a slice that are inside, each with its holes.

    Args:
        values_XY: (X, Y) floats, above 0 inside; everything around it is outside, half a pixel away.

    Returns:
        One polygon per area: its outer ring, then the rings of its holes, which turn the other way round. A ring is (N, 2)
        float64, pixel index x, y, N at least 4; its last point is joined to the first. Areas that touch at a corner are one
        or two as their values say. Empty where nothing is inside.
    """
    if not (values_XY > 0).any():
        return []
    generator = contour_generator(z=_with_outside(values_XY).T, fill_type=FillType.OuterOffset)
    areas, starts = generator.filled(0, np.inf)
    return [
        [_kept_off_centres(ring[:-1] - 1) for ring in np.split(points, offsets[1:-1])]
        for points, offsets in zip(areas, starts, strict=True)
    ]


def _with_outside(values_XY: np.ndarray) -> np.ndarray:
    """One pixel more on each side; the opposite of its neighbour's value puts the outline half-way between them."""
    values = np.asarray(values_XY, np.float64)
    least = _NEARLY_ZERO * np.abs(values).max()
    values = np.where(values > 0, np.maximum(values, least), np.minimum(values, -least))
    padded = -np.abs(np.pad(values, 1, mode="edge"))
    padded[1:-1, 1:-1] = values
    return padded


def _kept_off_centres(ring_xy: np.ndarray) -> np.ndarray:
    """Every point lies on a line between two neighbouring centres: one of its coordinates is whole, the other one is not."""
    centre_xy = np.rint(ring_xy)
    apart_xy = ring_xy - centre_xy
    along_xy = np.abs(apart_xy) == np.abs(apart_xy).max(axis=1, keepdims=True)
    below_xy = np.floor(ring_xy)
    clipped_xy = below_xy + np.clip(ring_xy - below_xy, NEAREST_CENTRE, 1 - NEAREST_CENTRE)
    return np.where(along_xy, clipped_xy, centre_xy)
