"""Parts of a body: what stands in an anatomy table, and how much each patient's differs from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data_prep.phantom.shapes import Inset, Mirrored, Points, Shape


@dataclass(frozen=True, kw_only=True)
class Part:
    """One row of an anatomy table; later rows lie on top of earlier ones.

    Attributes:
        name: TG-263 name of a structure, or a lower-case name of our own for what nobody contours.
        tissue: a name in ``tissue.TISSUES``; None for a construction line that is not painted.
        shape: its usual place and form.
        about_mm: the point it grows and shrinks around.
        wander_mm: standard deviation of its place between patients, along each axis.
        size_spread: standard deviation of its size between patients, as a fraction, along each axis.
        within: (part, depth_mm): it stays that deep inside an earlier part.
        carves: whether it takes its voxels away from structures below it; a vessel inside the liver does not.
        probability: share of patients that have it, for what is no structure.
    """

    name: str
    tissue: str | None
    shape: Shape
    about_mm: tuple[float, float, float] = (0, 0, 0)
    wander_mm: float = 0
    size_spread: float = 0
    within: tuple[str, float] | None = None
    carves: bool = True
    probability: float = 1


def left_and_right(name: str, **row) -> tuple[Part, Part]:
    """A paired part: ``<name>_L`` as given, which must lie at positive x, and ``<name>_R`` mirrored from it."""
    x, y, z = row.pop("about_mm", (0, 0, 0))
    left = Part(name=f"{name}_L", about_mm=(x, y, z), **row)
    shape = Mirrored(row.pop("shape"))
    return left, Part(name=f"{name}_R", about_mm=(-x, y, z), shape=shape, **row)


def carve(parts: Sequence[Part], points: Points, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One patient's body: the field of every part, before any part covers another.

    Args:
        parts: an anatomy table.
        points: x, y, z of every voxel in the table's coordinates, float32 (X, Y, Z), mm.
        rng: the patient's own.

    Returns:
        Part name -> float32 (X, Y, Z), mm to its surface, negative inside; a part this patient lacks is left out.
    """
    fields: dict[str, np.ndarray] = {}
    for part in parts:
        shift_mm = rng.normal(0, 1, 3) * part.wander_mm
        growth = np.clip(1 + rng.normal(0, 1, 3) * part.size_spread, 0.7, 1.4)
        if rng.random() >= part.probability:
            continue
        field = part.shape(_posed(points, part.about_mm, shift_mm, growth), fields) * np.float32(growth.mean())
        if part.within:
            field = np.maximum(field, Inset(*part.within)(points, fields))
        fields[part.name] = field
    return fields


def _posed(points: Points, about_mm: tuple, shift_mm: np.ndarray, growth: np.ndarray) -> Points:
    if not shift_mm.any() and (growth == 1).all():
        return points
    moved = zip(points, about_mm, shift_mm, growth, strict=True)
    return tuple((axis - np.float32(at + shift)) / np.float32(scale) + np.float32(at) for axis, at, shift, scale in moved)
