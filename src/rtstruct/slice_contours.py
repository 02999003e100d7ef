"""All contours of one structure, in millimetres of the patient."""

from dataclasses import dataclass

import numpy as np

from src.dicom.objects import SliceStack
from src.rtstruct.contour_rings import trace_slice
from src.rtstruct.keyhole import join_holes
from src.rtstruct.structure_field import StructureField
from src.rtstruct.thinning import thin_rings

# How far a point that is left out may lie off the outline. Well below what any planning system shows, and below the distance
# that ``contour_rings.NEAREST_CENTRE`` keeps: no centre of a pixel changes sides.
THINNING_MM = 0.02
THINNING_PIXELS = 0.02
DECIMALS = 3  # of a millimetre, that coordinates are rounded to; a DS has 16 characters, and no CT lies 100 m from its origin


@dataclass(frozen=True, kw_only=True)
class SliceContour:
    """One closed contour.

    Attributes:
        z: number of the slice in its stack.
        points_mm: (N, 3) float64 LPS, rounded to ``DECIMALS``, N at least 3; no point is the one before it again, and the last
            one is joined to the first.
    """

    z: int
    points_mm: np.ndarray


def trace(field: StructureField, stack: SliceStack) -> list[SliceContour]:
    """The contours of a structure on the slices of its CT.

    Args:
        field: on the grid of ``stack``.
        stack: the CT.

    Returns:
        One contour per area of a slice, its holes joined to it by bridges; in the order of the slices, on the plane of each.
        Empty for an empty structure.
    """
    spacing_mm = np.asarray(stack.grid.spacing_mm)
    begin = np.array([side.start for side in field.box_XYZ[:2]])
    areas = [
        (field.box_XYZ[2].start + z, area)
        for z in range(field.values_XYZ.shape[2])
        for area in trace_slice(field.values_XYZ[:, :, z])
    ]
    tolerance_mm = min(THINNING_MM, THINNING_PIXELS * spacing_mm[:2].min())
    thinned = iter(thin_rings([(ring + begin) * spacing_mm[:2] for _, area in areas for ring in area], tolerance_mm))
    contours = []
    for z, area in areas:
        outline_xy = join_holes([next(thinned) / spacing_mm[:2] for _ in area])
        contours.append(SliceContour(z=z, points_mm=_in_patient(outline_xy, z, stack)))
    return contours


def _in_patient(outline_xy: np.ndarray, z: int, stack: SliceStack) -> np.ndarray:
    """On the plane of the slice itself, which may lie some hundredths of a millimetre off the regular grid."""
    grid = stack.grid
    normal = grid.direction[:, 2]
    height_mm = (stack.slices[z].position_mm - grid.origin_mm) @ normal
    points_mm = grid.origin_mm + height_mm * normal + (outline_xy * grid.spacing_mm[:2]) @ grid.direction[:, :2].T
    rounded_mm = points_mm.round(DECIMALS) + 0.0  # no negative zeros
    return rounded_mm[(rounded_mm != np.roll(rounded_mm, 1, axis=0)).any(axis=1)]
