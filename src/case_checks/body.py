"""Where the patient is in a CT, coarsely and fast, and which masks lie beside it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from src.case_checks.finding import Finding, warning
from src.case_checks.mask_facts import MaskFacts

BODY_HU = -400  # between air and fat
COARSE_MM = 4.0  # in plane; finer pixels are skipped, no skin needs them
OUTSIDE_SHARE = 0.15
IN_PLANE_CROSS = ndimage.generate_binary_structure(3, 1) & np.array([False, True, False])[:, None, None]


@dataclass(frozen=True, kw_only=True)
class Body:
    """The patient in one CT, in patient axes.

    Attributes:
        inside_ZYX: bool; every slice, but of rows and columns only each ``step``-th. Air within the body belongs to it.
        step: (rows, columns) that one of its voxels stands for.
    """

    inside_ZYX: np.ndarray
    step: tuple[int, int]

    def box(self, facts: MaskFacts) -> np.ndarray:
        """Whether the body is there, for every voxel of a mask's box: bool of the shape of ``facts.inside_ZYX``."""
        z, y, x = facts.box
        rows = np.arange(y.start, y.stop) // self.step[0]
        columns = np.arange(x.start, x.stop) // self.step[1]
        return self.inside_ZYX[z][:, rows][:, :, columns]

    def middle_column(self, slices: slice) -> float | None:
        """The column of the whole CT in the middle of the body's mass, over some slices; None where there is no body."""
        columns = self.inside_ZYX[slices].sum(axis=(0, 1))
        return float(np.average(np.arange(len(columns)), weights=columns)) * self.step[1] if columns.any() else None


def find_body(ct: sitk.Image) -> Body | None:
    """The largest connected piece above −400 HU, without thin things such as masks and couch tops, filled slice by slice.

    Args:
        ct: HU, in patient axes.

    Returns:
        None where the CT holds nothing above −400 HU.
    """
    spacing_mm = ct.GetSpacing()
    step = tuple(max(1, math.floor(COARSE_MM / value)) for value in (spacing_mm[1], spacing_mm[0]))
    dense_ZYX = sitk.GetArrayViewFromImage(ct)[:, :: step[0], :: step[1]] > BODY_HU
    opened_ZYX = ndimage.binary_opening(dense_ZYX, IN_PLANE_CROSS)
    labels_ZYX, num_pieces = ndimage.label(opened_ZYX if opened_ZYX.any() else dense_ZYX)
    if not num_pieces:
        return None
    largest_ZYX = labels_ZYX == 1 + np.argmax(np.bincount(labels_ZYX.ravel())[1:])
    return Body(inside_ZYX=np.stack([ndimage.binary_fill_holes(slice_YX) for slice_YX in largest_ZYX]), step=step)


def check_outside(case: str, body: Body, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    """Masks of which a good part lies in the air beside the patient."""
    for name, facts in masks.items():
        if facts.num_voxels and outside_share(body, facts) > OUTSIDE_SHARE:
            yield warning(
                case, f"more than {OUTSIDE_SHARE:.0%} of {name} lies outside the body: do its contours belong to this CT?"
            )


def outside_share(body: Body, facts: MaskFacts) -> float:
    """The share of a mask that lies outside the body, 0 to 1; 0 for an empty mask."""
    return float(np.count_nonzero(facts.inside_ZYX & ~body.box(facts))) / max(1, facts.num_voxels)
