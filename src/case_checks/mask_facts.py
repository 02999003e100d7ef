"""What is kept of a mask after reading it: its voxels within their bounding box, and where that box lies."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, kw_only=True)
class MaskFacts:
    """One mask, cut to its bounding box; in patient orientation: x grows to the left, y to the back, z to the head.

    Attributes:
        inside_ZYX: bool, the voxels within ``box``; of shape (0, 0, 0) where the mask is empty.
        box: where they lie in the volume.
        shape_ZYX: voxels of the whole volume.
        spacing_ZYX_mm: voxel size.
        num_voxels: how many belong to the mask.
        centroid_lps_mm: its middle in patient coordinates, or None where it is empty.
    """

    inside_ZYX: np.ndarray
    box: Box
    shape_ZYX: tuple[int, int, int]
    spacing_ZYX_mm: tuple[float, float, float]
    num_voxels: int
    centroid_lps_mm: np.ndarray | None

    @property
    def share(self) -> float:
        """Its share of the whole volume, 0 to 1."""
        return self.num_voxels / float(np.prod(self.shape_ZYX))

    @property
    def volume_cm3(self) -> float:
        """Its volume."""
        return self.num_voxels * float(np.prod(self.spacing_ZYX_mm)) / 1000

    def ends_within(self, slices: int) -> bool:
        """Whether it lies less than so many slices from the first or last one of the volume: 1 asks whether it touches it."""
        return self.num_voxels > 0 and min(self.box[0].start, self.shape_ZYX[0] - self.box[0].stop) < slices


def in_patient_axes(image: sitk.Image) -> sitk.Image:
    """The image with its axes along the patient's left, back and head, as nearly as flips and swaps can bring them."""
    along_axes = np.allclose(np.reshape(image.GetDirection(), (3, 3)), np.eye(3), atol=1e-3)
    return image if along_axes else sitk.DICOMOrient(image, "LPS")


def mask_facts(mask: sitk.Image) -> MaskFacts:
    """Measures one mask; every voxel above 0 belongs to it."""
    mask = in_patient_axes(mask)
    mask_ZYX = sitk.GetArrayViewFromImage(mask)
    box = _bounding_box(mask_ZYX)
    inside_ZYX = mask_ZYX[box] > 0
    # Counted by plane: the positions of all voxels of a large mask would fill hundreds of megabytes.
    counts = [np.count_nonzero(inside_ZYX, axis=others) for others in ((1, 2), (0, 2), (0, 1))]
    num_voxels = int(counts[0].sum())
    centroid = None
    if num_voxels:
        middle_zyx = [
            float(np.average(np.arange(part.start, part.stop), weights=count)) for count, part in zip(counts, box, strict=True)
        ]
        centroid = np.array(mask.TransformContinuousIndexToPhysicalPoint(middle_zyx[::-1]))
    return MaskFacts(
        inside_ZYX=inside_ZYX,
        box=box,
        shape_ZYX=mask_ZYX.shape,
        spacing_ZYX_mm=mask.GetSpacing()[::-1],
        num_voxels=num_voxels,
        centroid_lps_mm=centroid,
    )


def shared_voxels(first: MaskFacts, second: MaskFacts) -> int:
    """How many voxels two masks on one grid have in common."""
    common = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(first.box, second.box, strict=True)]
    if any(part.start >= part.stop for part in common):
        return 0
    views = [
        facts.inside_ZYX[tuple(slice(c.start - b.start, c.stop - b.start) for c, b in zip(common, facts.box, strict=True))]
        for facts in (first, second)
    ]
    return int(np.count_nonzero(views[0] & views[1]))


def _bounding_box(mask_ZYX: np.ndarray) -> Box:
    """The smallest box that holds every voxel above 0; empty slices at 0 where there is none."""
    box, rest = [], mask_ZYX
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(rest.any(axis=others))
        if not len(filled):
            return (slice(0, 0),) * 3
        box.append(slice(int(filled[0]), int(filled[-1]) + 1))
        rest = rest[(slice(None),) * axis + (box[-1],)]
    return tuple(box)
