"""Masks as one site draws them: with its margins, its upper and lower ends, and a hand that is never quite steady."""

from collections.abc import Mapping, Sequence

import numpy as np

from data_prep.phantom.anatomy import Part
from data_prep.phantom.patient import Grid, smooth_field
from data_prep.phantom.site_shift import SiteShift

HAND_MM = 0.5
SKIN_MM = 2.0


def visible_fields(parts: Sequence[Part], fields: Mapping[str, np.ndarray], structures: Sequence[str]) -> dict[str, np.ndarray]:
    """What is left of each structure where later parts carve into it.

    Returns:
        Structure -> float32 (X, Y, Z), mm to its visible surface, negative inside.
    """
    visible: dict[str, np.ndarray] = {}
    for part in parts:
        if part.name not in fields or part.tissue is None:
            continue
        if part.carves:
            visible = {name: np.maximum(field, -fields[part.name]) for name, field in visible.items()}
        if part.name in structures:
            visible[part.name] = fields[part.name]
    return visible


def draw_contours(
    visible: Mapping[str, np.ndarray], body: np.ndarray, grid: Grid, shift: SiteShift, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The masks one site makes of one case.

    Two structures never share a voxel, none leaves the body, and one that the site or this case lacks has no mask.

    Args:
        visible: from ``visible_fields``.
        body: float32 (X, Y, Z), mm to the skin, negative inside.
        grid: their grid.
        shift: the site's habits.
        rng: the case's own.

    Returns:
        Structure -> bool (X, Y, Z).
    """
    nearest = np.minimum.reduce(list(visible.values()))
    masks = {}
    for name, field in visible.items():
        hand_mm = smooth_field(grid, 30, HAND_MM, rng)
        skipped = rng.random() < shift.skipped_share
        if skipped or name in shift.never_contoured:
            continue
        margin_mm = np.float32(shift.contour_margin_mm[name])
        mask = (field + hand_mm < margin_mm) & (field <= nearest) & (body < -SKIN_MM)
        masks[name] = _trimmed(mask, shift.contour_trim.get(name, (0, 0)))
    return masks


def _trimmed(mask: np.ndarray, shares: tuple[float, float]) -> np.ndarray:
    slices = np.flatnonzero(mask.any(axis=(0, 1)))
    if not len(slices):
        return mask
    kept = np.zeros(mask.shape[2], bool)
    foot, head = (int(share * len(slices)) for share in shares)
    kept[slices[foot] : slices[-1] + 1 - head] = True
    return mask & kept
