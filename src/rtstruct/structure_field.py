"""One structure as a field on the CT's grid: what a prediction hands over, to become a mask, a volume or contours."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class StructureField:
    """A structure whose surface is where a field passes zero.

    Attributes:
        name: TG-263 name.
        values_XYZ: float32, above 0 inside, finite; a logit, interpolated linearly, whose zero lies between the voxel centres.
        box_XYZ: where ``values_XYZ`` lies in the CT's grid; of size 0 for an empty structure. Nothing outside of it is inside.
        size_XYZ: voxels of the whole grid.

    Raises:
        ValueError: the values are not of the box's shape, or the box leaves the grid.
    """

    name: str
    values_XYZ: np.ndarray
    box_XYZ: tuple[slice, slice, slice]
    size_XYZ: tuple[int, int, int]

    def __post_init__(self) -> None:
        shape = tuple(side.stop - side.start for side in self.box_XYZ)
        if shape != self.values_XYZ.shape:
            raise ValueError(f"{self.name}: expected values of its box, {shape}, found {self.values_XYZ.shape}")
        if not all(0 <= side.start <= side.stop <= size for side, size in zip(self.box_XYZ, self.size_XYZ, strict=True)):
            raise ValueError(f"{self.name}: expected a box within {self.size_XYZ}, found {self.box_XYZ}")

    @classmethod
    def of_values(cls, name: str, values_XYZ: np.ndarray) -> "StructureField":
        """A structure cut out of a field on the whole grid, with a voxel around it where the grid goes on.

        Args:
            name: TG-263 name.
            values_XYZ: (X, Y, Z) floats, above 0 inside; the box alone is copied.
        """
        values_XYZ = np.asarray(values_XYZ)
        box_XYZ = _box_around(values_XYZ > 0)
        return cls(name, values_XYZ[box_XYZ].astype(np.float32), box_XYZ, values_XYZ.shape)

    @classmethod
    def of_mask(cls, name: str, mask_XYZ: np.ndarray) -> "StructureField":
        """A structure whose surface lies half-way between the voxels of a mask and their neighbours.

        Args:
            name: TG-263 name.
            mask_XYZ: (X, Y, Z) bool, or numbers that are not 0 inside.
        """
        inside_XYZ = np.asarray(mask_XYZ) != 0
        box_XYZ = _box_around(inside_XYZ)
        return cls(name, np.where(inside_XYZ[box_XYZ], np.float32(1), np.float32(-1)), box_XYZ, inside_XYZ.shape)

    @cached_property
    def mask_XYZ(self) -> np.ndarray:
        """Bool, of the box: which voxel centres are inside."""
        return self.values_XYZ > 0

    @property
    def whole_mask_XYZ(self) -> np.ndarray:
        """Bool, of the whole grid; a new array."""
        whole_XYZ = np.zeros(self.size_XYZ, bool)
        whole_XYZ[self.box_XYZ] = self.mask_XYZ
        return whole_XYZ

    @property
    def is_empty(self) -> bool:
        """Whether no voxel centre is inside."""
        return not self.mask_XYZ.any()

    def volume_cm3(self, spacing_mm: Sequence[float]) -> float:
        """Volume of the voxels inside; 0.0 for an empty structure.

        Args:
            spacing_mm: of the grid, in x, y, z.
        """
        return float(np.count_nonzero(self.mask_XYZ) * np.prod(np.asarray(spacing_mm, float)) / 1000)


def _box_around(inside_XYZ: np.ndarray) -> tuple[slice, slice, slice]:
    """The box of what is inside and one voxel more, cut at the grid's ends; of size 0 where nothing is."""
    if not inside_XYZ.any():
        return (slice(0, 0),) * 3
    sides = []
    for axis, size in enumerate(inside_XYZ.shape):
        others = tuple(other for other in range(3) if other != axis)
        at = np.flatnonzero(inside_XYZ.any(axis=others))
        sides.append(slice(max(int(at[0]) - 1, 0), min(int(at[-1]) + 2, size)))
    return tuple(sides)
