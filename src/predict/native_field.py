"""A structure's logits on the working grid -> the field on the CT's own grid, only as large as the structure."""

from dataclasses import replace

import numpy as np

from src.data.preprocessing import OUTSIDE_LOGIT, GridGeometry, on_grid
from src.rtstruct.structure_field import StructureField

_CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])


def native_field(name: str, logits_XYZ: np.ndarray, grid: GridGeometry, native: GridGeometry) -> StructureField:
    """Interpolates linearly, where the structure is and one voxel beyond; elsewhere nothing can be inside.

    Args:
        name: TG-263 name.
        logits_XYZ: float32 on ``grid``, above 0 inside.
        grid, native: where the working grid and the CT's own grid lie.

    Returns:
        The field; of size 0 where no logit is above 0.
    """
    box = _native_box(logits_XYZ, grid, native)
    if any(side.start >= side.stop for side in box):
        return StructureField(name, np.zeros((0, 0, 0), np.float32), (slice(0, 0),) * 3, native.size)
    # The whole working grid would be copied, for each structure.
    source = _cover(native, box, grid)
    values_XYZ = on_grid(logits_XYZ[source], _cut(grid, source), _cut(native, box), outside=OUTSIDE_LOGIT)
    return StructureField(name, values_XYZ, box, native.size)


def _cover(inner: GridGeometry, box: tuple[slice, slice, slice], outer: GridGeometry) -> tuple[slice, slice, slice]:
    """The voxels of a grid that the values at the voxels of another one's box are interpolated from."""
    ends = np.where(_CORNERS, [side.stop - 1 for side in box], [side.start for side in box])
    indices = _to_index(outer, _to_mm(inner, ends))
    # One more than is needed: nothing may come to lie outside by rounding.
    start = np.clip(np.floor(indices.min(axis=0)).astype(int) - 1, 0, outer.size)
    stop = np.clip(np.ceil(indices.max(axis=0)).astype(int) + 2, 0, outer.size)
    return tuple(slice(int(low), int(high)) for low, high in zip(start, stop, strict=True))


def _cut(grid: GridGeometry, box: tuple[slice, slice, slice]) -> GridGeometry:
    first = np.array([side.start for side in box])
    return replace(
        grid,
        size=tuple(side.stop - side.start for side in box),
        origin=tuple(float(value) for value in _to_mm(grid, first)),
    )


def _native_box(logits_XYZ: np.ndarray, grid: GridGeometry, native: GridGeometry) -> tuple[slice, slice, slice]:
    """Holds every voxel of the CT less than one working voxel from a logit above 0: only there can it come out above 0."""
    first, last = [], []
    inside_XYZ = logits_XYZ > 0
    for axis in range(3):
        inside = np.flatnonzero(inside_XYZ.any(axis=tuple(other for other in range(3) if other != axis)))
        if not len(inside):
            return (slice(0, 0),) * 3
        first.append(inside[0] - 1)
        last.append(inside[-1] + 1)
    corners_mm = _to_mm(grid, np.where(_CORNERS, last, first))
    indices = _to_index(native, corners_mm)
    start = np.clip(np.floor(indices.min(axis=0)).astype(int), 0, native.size)
    stop = np.clip(np.ceil(indices.max(axis=0)).astype(int) + 1, 0, native.size)
    return tuple(slice(int(low), int(high)) for low, high in zip(start, stop, strict=True))


def _to_mm(grid: GridGeometry, index_xyz: np.ndarray) -> np.ndarray:
    return np.asarray(grid.origin) + (index_xyz * np.asarray(grid.spacing)) @ np.reshape(grid.direction, (3, 3)).T


def _to_index(grid: GridGeometry, points_mm: np.ndarray) -> np.ndarray:
    return (
        (points_mm - np.asarray(grid.origin)) @ np.linalg.inv(np.reshape(grid.direction, (3, 3)).T) / np.asarray(grid.spacing)
    )
