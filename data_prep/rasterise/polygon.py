"""Which pixel centres lie inside a closed outline, by crossings with the pixel rows, in exact integer arithmetic.

For every edge and every row of pixel centres that it crosses, the first pixel whose centre lies at or right of the crossing
starts a change of the winding number by +1 or -1; summing along the row gives the winding number of all pixels. Odd is inside
(even-odd rule). Rows count from an edge's lower end up to but not including its upper end, so that a vertex counts once.

Points are rounded to 1/131072 pixel, about 8 nm, and everything after that is exact: outlines that share edges cover each
pixel once, moving by whole pixels moves the result, and direction or start of the outline do not matter.

Source: scanline filling, Foley et al., Computer Graphics: Principles and Practice, 2nd ed. 1990, section 3.6.
"""

from dataclasses import dataclass

import numpy as np

_STEPS = 1 << 17  # per pixel; with coordinates below 2^13 pixels every product here stays below 2^63


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The pixels of one outline.

    Attributes:
        first_x, first_y: pixel at which the box begins.
        inside_YX: bool, whether a pixel's centre is inside by the even-odd rule; may be of size 0.
        pixels: how many are.
        disputed_pixels: how many are inside by the non-zero winding rule and not by this one.
        is_cut: whether the outline leaves the image; what lies outside is not in the box.
    """

    first_x: int
    first_y: int
    inside_YX: np.ndarray
    pixels: int
    disputed_pixels: int
    is_cut: bool

    @property
    def box(self) -> tuple[slice, slice]:
        """Where ``inside_YX`` lies in an image (Y, X)."""
        height, width = self.inside_YX.shape
        return slice(self.first_y, self.first_y + height), slice(self.first_x, self.first_x + width)


def fill(points_xy: np.ndarray, size_xy: tuple[int, int]) -> Filled:
    """Fills a closed outline.

    Args:
        points_xy: (N, 2) float64 continuous pixel index, below 2^13 in size; the last point is joined to the first.
        size_xy: of the image, in pixels.

    Returns:
        the box around the outline, cut at the image's edges.
    """
    points = np.rint(points_xy * _STEPS).astype(np.int64)
    low, high = _ceil(points.min(axis=0), _STEPS), _ceil(points.max(axis=0), _STEPS)
    first, last = np.clip(low, 0, size_xy), np.clip(high, 0, size_xy)
    winding_YX = _winding(points, first, np.maximum(last - first, 0))
    inside_YX = (winding_YX & 1).astype(bool)
    pixels = int(np.count_nonzero(inside_YX))
    return Filled(
        first_x=int(first[0]),
        first_y=int(first[1]),
        inside_YX=inside_YX,
        pixels=pixels,
        disputed_pixels=int(np.count_nonzero(winding_YX)) - pixels,
        is_cut=bool((low < first).any() or (high > last).any()),
    )


def area_pixels(points_xy: np.ndarray) -> float:
    """Area of a closed outline that does not cross itself, in pixels (shoelace formula)."""
    x, y = (points_xy - points_xy[0]).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _winding(points: np.ndarray, first: np.ndarray, size_xy: np.ndarray) -> np.ndarray:
    """Winding numbers (Y, X) int32 of the pixels of a box."""
    width, height = (int(value) for value in size_xy)
    if not width * height:
        return np.zeros((height, width), np.int32)
    row, column, turn = _crossings(points, np.roll(points, -1, axis=0), first, height)
    at = row * (width + 1) + np.clip(column - first[0], 0, width)
    changes = np.bincount(at, weights=turn, minlength=height * (width + 1))
    return np.cumsum(changes.reshape(height, width + 1)[:, :-1], axis=1, dtype=np.int32)


def _crossings(begin: np.ndarray, end: np.ndarray, first: np.ndarray, height: int) -> tuple[np.ndarray, ...]:
    """Row in the box, first column at or right of the crossing, and direction, of all crossings of edges with rows."""
    upwards = end[:, 1] > begin[:, 1]
    lower, upper = np.where(upwards[:, None], begin, end), np.where(upwards[:, None], end, begin)
    first_row = np.clip(_ceil(lower[:, 1], _STEPS) - first[1], 0, height)
    counts = np.clip(_ceil(upper[:, 1], _STEPS) - first[1], 0, height) - first_row
    edge = np.repeat(np.arange(len(begin)), counts)
    row = np.arange(len(edge)) + np.repeat(first_row - np.cumsum(counts) + counts, counts)
    x, y = lower[edge].T
    along_x, along_y = (upper - lower)[edge].T
    column = _ceil(x * along_y + ((row + first[1]) * _STEPS - y) * along_x, along_y * _STEPS)
    return row, column, np.where(upwards[edge], 1, -1)


def _ceil(numerator: np.ndarray, denominator) -> np.ndarray:
    return -(-numerator // denominator)
