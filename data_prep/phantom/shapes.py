"""Implicit bodies: functions that give every point its distance to a surface, negative inside.

A shape is called with the points of a grid and the fields of the parts made before it, and returns a float32 array of about
millimetres. "About": ellipsoids and blends are first-order distances, exact at the surface and good near it, which is where
contours and partial volume are made.

Source: the ellipsoid's first-order distance is f / |grad f| (Taubin 1994, doi:10.1145/195826.195828).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, inf, radians, sin

import numpy as np

Points = tuple[np.ndarray, np.ndarray, np.ndarray]
Fields = Mapping[str, np.ndarray]
Shape = Callable[[Points, Fields], np.ndarray]
_TINY = np.float32(1e-6)


@dataclass(frozen=True)
class Ellipsoid:
    """A superellipsoid; an infinite radius makes it a cylinder along that axis.

    Attributes:
        centre_mm: x, y, z.
        radii_mm: along its own axes, above 0.
        tilt_deg: turns about x, then y, then z.
        exponent: 2 is an ellipsoid, more is boxier.
    """

    centre_mm: tuple[float, float, float]
    radii_mm: tuple[float, float, float]
    tilt_deg: tuple[float, float, float] = (0, 0, 0)
    exponent: float = 2

    def __call__(self, points: Points, fields: Fields) -> np.ndarray:
        power = np.square if self.exponent == 2 else lambda ratio: np.power(np.abs(ratio), np.float32(self.exponent))
        local = turn(tuple(axis - np.float32(at) for axis, at in zip(points, self.centre_mm, strict=True)), self.tilt_deg)
        finite = [(axis, np.float32(radius)) for axis, radius in zip(local, self.radii_mm, strict=True) if radius < inf]
        total = sum(power(axis / radius) for axis, radius in finite) + _TINY
        level = total ** np.float32(1 / self.exponent)
        slope = sum(np.square(power(axis / radius) / (np.abs(axis) + _TINY)) for axis, radius in finite)
        return (level - 1) * total / (level * np.sqrt(slope) + _TINY)


@dataclass(frozen=True)
class Tube:
    """A chain of cone pieces with round ends.

    Attributes:
        knots_mm: two or more (x, y, z, radius).
    """

    knots_mm: tuple[tuple[float, float, float, float], ...]

    def __call__(self, points: Points, fields: Fields) -> np.ndarray:
        pieces = zip(self.knots_mm[:-1], self.knots_mm[1:], strict=True)
        return np.minimum.reduce([_cone(points, start, end) for start, end in pieces])


@dataclass(frozen=True)
class HalfSpace:
    """Everything behind a plane: the side its normal does not point to."""

    point_mm: tuple[float, float, float]
    normal: tuple[float, float, float]

    def __call__(self, points: Points, fields: Fields) -> np.ndarray:
        unit = np.asarray(self.normal, np.float32) / np.float32(np.linalg.norm(self.normal))
        return sum((axis - np.float32(at)) * part for axis, at, part in zip(points, self.point_mm, unit, strict=True))


@dataclass(frozen=True)
class Bands:
    """Parallel slabs, for ribs and discs.

    Attributes:
        normal: direction across the slabs.
        period_mm: from one slab's middle to the next.
        thickness_mm: of each slab.
        phase_mm: where along ``normal`` a slab's middle lies.
    """

    normal: tuple[float, float, float]
    period_mm: float
    thickness_mm: float
    phase_mm: float = 0

    def __call__(self, points: Points, fields: Fields) -> np.ndarray:
        along = HalfSpace((0, 0, 0), self.normal)(points, fields) - np.float32(self.phase_mm)
        middle = np.abs(along - np.round(along / np.float32(self.period_mm)) * np.float32(self.period_mm))
        return middle - np.float32(self.thickness_mm / 2)


@dataclass(frozen=True)
class Inset:
    """A part made before, shrunk by ``depth_mm`` (grown where that is negative)."""

    part: str
    depth_mm: float = 0

    def __call__(self, points: Points, fields: Fields) -> np.ndarray:
        return fields[self.part] + np.float32(self.depth_mm)


@dataclass(frozen=True)
class Union:
    """Shapes joined, with a rounded seam of ``blend_mm``."""

    shapes: tuple[Shape, ...]
    blend_mm: float = 0

    def __call__(self, points: Points, fields: Fields) -> np.ndarray:
        joined = self.shapes[0](points, fields)
        for shape in self.shapes[1:]:
            joined = _blend(joined, shape(points, fields), self.blend_mm)
        return joined


@dataclass(frozen=True)
class Common:
    """What all shapes share."""

    shapes: tuple[Shape, ...]

    def __call__(self, points: Points, fields: Fields) -> np.ndarray:
        return np.maximum.reduce([shape(points, fields) for shape in self.shapes])


@dataclass(frozen=True)
class Without:
    """The first shape less the others."""

    shape: Shape
    removed: tuple[Shape, ...]

    def __call__(self, points: Points, fields: Fields) -> np.ndarray:
        return np.maximum.reduce([self.shape(points, fields), *(-shape(points, fields) for shape in self.removed)])


@dataclass(frozen=True)
class Mirrored:
    """A shape on the other side of the patient: x becomes -x."""

    shape: Shape

    def __call__(self, points: Points, fields: Fields) -> np.ndarray:
        return self.shape((-points[0], points[1], points[2]), fields)


def turn(points: Points, tilt_deg: tuple[float, float, float]) -> Points:
    """Points in the axes of a body that was turned about x, then y, then z."""
    x, y, z = points
    for axis in (2, 1, 0):
        if tilt_deg[axis]:
            cosine, sine = np.float32(cos(radians(tilt_deg[axis]))), np.float32(sin(radians(tilt_deg[axis])))
            if axis == 2:
                x, y = cosine * x + sine * y, cosine * y - sine * x
            elif axis == 1:
                x, z = cosine * x - sine * z, cosine * z + sine * x
            else:
                y, z = cosine * y + sine * z, cosine * z - sine * y
    return x, y, z


def _cone(points: Points, start: tuple, end: tuple) -> np.ndarray:
    axis = np.subtract(end[:3], start[:3])
    length = float(np.linalg.norm(axis))
    x, y, z = (coordinate - np.float32(at) for coordinate, at in zip(points, start[:3], strict=True))
    ahead = sum(part * np.float32(step / length) for part, step in zip((x, y, z), axis, strict=True))
    along = np.clip(ahead, 0, np.float32(length))
    squares = x * x + y * y + z * z - along * (2 * ahead - along)
    return np.sqrt(np.maximum(squares, 0)) - (np.float32(start[3]) + along * np.float32((end[3] - start[3]) / length))


def _blend(first: np.ndarray, second: np.ndarray, blend_mm: float) -> np.ndarray:
    nearest = np.minimum(first, second)
    if not blend_mm:
        return nearest
    overlap = np.maximum(np.float32(blend_mm) - np.abs(first - second), 0)
    return nearest - np.square(overlap) / np.float32(4 * blend_mm)
