"""One ROI's contours -> its mask on the CT's grid.

TODO
"""

from dataclasses import dataclass, field

import numpy as np

from data_prep.dicom.objects import Grid, Roi
from data_prep.rasterise.plane import place
from data_prep.rasterise.slice_mask import SliceFacts, combine
from data_prep.rasterise.slices import distribute
from src.errors import DicomError

NOTED_SHARE = 0.01
NOTED_VOLUME_SHARE = 0.02
NOTED_VOLUME_CM3 = 5.0


@dataclass(frozen=True, kw_only=True)
class RasterisedRoi:
    """An ROI on the CT's grid.

    Attributes:
        mask_ZYX: bool, the full grid.
        polygon_cm3: area of its contours, holes subtracted and copies left out, times the slice spacing.
        mask_cm3: volume of the mask's voxels.
        notes: what a person should know, in plain words without identifiers.
    """

    mask_ZYX: np.ndarray = field(repr=False)
    polygon_cm3: float
    mask_cm3: float
    notes: tuple[str, ...]


def rasterise(roi: Roi, grid: Grid) -> RasterisedRoi:
    """Finds the voxels whose centres lie inside an ROI.

    Args:
        roi: its contours in patient coordinates; the caller has dealt with one that has none.
        grid: of the CT it was drawn on.

    Raises:
        DicomError: no contours, none of them within the CT, drawn on planes that are not the CT's slices, on every n-th slice
            only, or so small that no voxel's centre lies inside. An empty mask is never returned: it would mean "not present".
    """
    try:
        return _rasterise(roi, grid)
    except DicomError as error:
        raise DicomError(f"ROI {roi.number}: {error}") from None


def _rasterise(roi: Roi, grid: Grid) -> RasterisedRoi:
    if roi.damage:
        raise DicomError(f"expected contours that could all be read, found {'; '.join(roi.damage)}; export it again")
    if not roi.contours:
        raise DicomError("expected closed contours, found none; leave it out")
    sliced = distribute(place(roi.contours, grid), grid)
    mask_ZYX = np.zeros(grid.size[::-1], bool)
    slices: list[SliceFacts] = []
    for z, outlines in sorted(sliced.outlines.items()):
        mask_ZYX[z], facts = combine(outlines, grid.size[:2], grid.spacing_mm[:2])
        slices.append(facts)
    voxels = int(np.count_nonzero(mask_ZYX))
    if not voxels:
        raise DicomError("expected voxels inside its contours, found none: it lies beside the CT, or is smaller than a voxel")
    voxel_cm3 = float(np.prod(grid.spacing_mm)) / 1000
    polygon_cm3, mask_cm3 = sum(one.area_pixels for one in slices) * voxel_cm3, voxels * voxel_cm3
    return RasterisedRoi(
        mask_ZYX=mask_ZYX,
        polygon_cm3=polygon_cm3,
        mask_cm3=mask_cm3,
        notes=(*sliced.notes, *_notes_on_shape(slices, voxels), *_notes_on_volume(polygon_cm3, mask_cm3)),
    )


def _notes_on_shape(slices: list[SliceFacts], voxels: int) -> list[str]:
    notes = []
    if copies := sum(one.copies for one in slices):
        on = sum(one.copies > 0 for one in slices)
        notes.append(f"{copies} contours on {on} slices are copies of another one and were left out")
    if cut := sum(one.cut for one in slices):
        notes.append(f"{cut} contours reach beyond the edge of the CT's images; what lies outside was cut off")
    if (share := sum(one.disputed_pixels for one in slices) / voxels) > NOTED_SHARE:
        notes.append(f"contours run over themselves; what they enclose twice ({share:.1%} of its volume) was taken as outside")
    if (share := sum(one.seam_pixels for one in slices) / voxels) > NOTED_SHARE:
        notes.append(f"contours of one slice overlap partly ({share:.1%} of its volume) and were joined, not subtracted")
    return notes


def _notes_on_volume(polygon_cm3: float, mask_cm3: float) -> list[str]:
    if max(polygon_cm3, mask_cm3) > NOTED_VOLUME_CM3 and abs(polygon_cm3 - mask_cm3) > NOTED_VOLUME_SHARE * polygon_cm3:
        return [f"its contours enclose {polygon_cm3:.1f} cm³, its mask {mask_cm3:.1f} cm³: look at both"]
    return []
