"""One random patient on one CT grid: size, pose and a smooth deformation of everything inside."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from data_prep.phantom.shapes import Points, turn


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A CT grid whose axes run to the patient's left, back and head.

    Attributes:
        size: voxels in x, y, z.
        spacing_mm: voxel size in x, y, z.
        origin_mm: centre of the first voxel, in patient coordinates.
    """

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]

    @classmethod
    def covering(cls, lower_mm: tuple, upper_mm: tuple, spacing_mm: tuple) -> "Grid":
        """The grid of a given voxel size that spans a box, to half a voxel."""
        size = [max(8, round((high - low) / step)) for low, high, step in zip(lower_mm, upper_mm, spacing_mm, strict=True)]
        origin_mm = [
            (low + high - (count - 1) * step) / 2
            for low, high, count, step in zip(lower_mm, upper_mm, size, spacing_mm, strict=True)
        ]
        return cls(size=tuple(size), spacing_mm=tuple(spacing_mm), origin_mm=tuple(origin_mm))

    def points_mm(self) -> Points:
        """x, y, z of every voxel centre: three float32 arrays (X, Y, Z)."""
        axes = [
            (start + step * np.arange(count)).astype(np.float32)
            for start, step, count in zip(self.origin_mm, self.spacing_mm, self.size, strict=True)
        ]
        return tuple(np.meshgrid(*axes, indexing="ij"))


def table_points(grid: Grid, *, body_scale: float, rng: np.random.Generator) -> Points:
    """Where each voxel of a patient lies in the coordinates of the anatomy table.

    The patient is the table scaled, turned by a few degrees, shifted and bent by smooth displacements of two wavelengths.

    Args:
        grid: the patient's CT grid.
        body_scale: mean size at this site, 1 for the table's own.
        rng: the patient's own.

    Returns:
        x, y, z, float32 (X, Y, Z), mm.
    """
    scale = body_scale * np.clip(1 + rng.normal(0, 0.04) + rng.normal(0, 0.02, 3), 0.87, 1.13)
    shift_mm = rng.normal(0, 1, 3) * (5, 4, 7)
    tilt_deg = tuple(np.clip(rng.normal(0, 1, 3) * (2, 1.5, 2), -6, 6))
    turned = turn(tuple(axis - np.float32(by) for axis, by in zip(grid.points_mm(), shift_mm, strict=True)), tilt_deg)
    bends = [smooth_field(grid, 95, 4.0, rng) + smooth_field(grid, 45, 1.6, rng) for _ in range(3)]
    return tuple(axis / np.float32(factor) + bend for axis, factor, bend in zip(turned, scale, bends, strict=True))


def smooth_field(grid: Grid, knot_mm: float, spread_mm: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random field, float32 (X, Y, Z): cubic through normal values of ``spread_mm``, ``knot_mm`` apart."""
    extent_mm = np.multiply(grid.size, grid.spacing_mm)
    knots = rng.normal(0, spread_mm, [int(np.ceil(length / knot_mm)) + 3 for length in extent_mm]).astype(np.float32)
    for count, step in zip(grid.size, grid.spacing_mm, strict=True):
        # Through the unit vectors once, not through every row of knots: a spline is linear in its knots. One axis leaves at
        # the front and comes back at the end, so that three turns give x, y, z again.
        weights = CubicSpline(np.arange(len(knots)), np.eye(len(knots)))(1 + np.arange(count) * step / knot_mm)
        knots = np.einsum("nk,k...->...n", weights.astype(np.float32), knots)
    return knots
