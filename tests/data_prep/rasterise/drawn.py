"""Grids and ROIs to rasterise, drawn in grid millimetres: x, y along rows and columns from voxel (0, 0, 0), z across slices."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from src.dicom.objects import Contour, Grid, Roi


def make_grid(size=(40, 32, 12), spacing_mm=(1.0, 1.0, 3.0), origin_mm=(-20.0, 7.0, 100.0), direction=None) -> Grid:
    return Grid(
        size=size,
        spacing_mm=spacing_mm,
        origin_mm=np.array(origin_mm),
        direction=np.eye(3) if direction is None else direction,
    )


def make_roi(grid: Grid, drawn_mm: Sequence[np.ndarray]) -> Roi:
    """An ROI of (N, 3) contours in grid millimetres."""
    contours = tuple(Contour(points_mm=grid.origin_mm + np.asarray(points, float) @ grid.direction.T) for points in drawn_mm)
    return Roi(number=7, name="Zwiebelfisch", frame_uid="", contours=contours)


def ring(centre_mm, radius_mm: float, points: int = 90) -> np.ndarray:
    """A circle in a slice, (points, 3); a negative radius turns the other way round."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False) + 0.1
    around = np.stack([np.abs(radius_mm) * np.cos(angle), radius_mm * np.sin(angle), np.zeros(points)], axis=1)
    return np.asarray(centre_mm, float) + around


def box(x0: float, y0: float, x1: float, y1: float, z: float) -> np.ndarray:
    """A rectangle in a slice, (4, 3)."""
    return np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]])


def distance_from_axis(grid: Grid, centre_mm) -> tuple[np.ndarray, np.ndarray]:
    """Distance of every voxel's centre from an axis across the slices, and its height above ``centre_mm``; both (Z, Y, X)."""
    z, y, x = np.meshgrid(
        *[np.arange(n) * step for n, step in zip(grid.size[::-1], grid.spacing_mm[::-1], strict=True)], indexing="ij"
    )
    return np.hypot(x - centre_mm[0], y - centre_mm[1]), z - centre_mm[2]


def rotations() -> st.SearchStrategy[np.ndarray]:
    """Direction matrices of any orientation."""
    angles = st.tuples(st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
    return angles.map(lambda degrees: Rotation.from_euler("zyx", degrees, degrees=True).as_matrix())


def grids() -> st.SearchStrategy[Grid]:
    """Grids of any spacing, pixel aspect, orientation and place, about 36 × 30 × 24 mm large."""

    def build(spacing_mm, direction, origin_mm):
        size = tuple(round(length / step) + 1 for length, step in zip((36, 30, 24), spacing_mm, strict=True))
        return make_grid(size, spacing_mm, origin_mm, direction)

    spacing_mm = st.tuples(st.floats(0.6, 2.5), st.floats(0.6, 2.5), st.floats(1.0, 4.0))
    return st.builds(build, spacing_mm, rotations(), st.tuples(*[st.floats(-500, 500)] * 3))
