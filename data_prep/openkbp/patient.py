"""One public patient, cut to where the challenge provides the whole CT.

The challenge blanks its CT outside ``possible_dose_mask`` except within contours, which would give the contours away. So voxels
outside that mask become air and belong to no structure, and what is kept is the slices from the first to the last one in which
the mask has at least a fifth of the voxels of its fullest slice: above and below, only stray voxels are left of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from data_prep.openkbp.sparse_file import GRID_SIZE, read_indices, read_spacing, read_values
from src.data.case_image import as_int16
from src.errors import CaseError

AIR_HU = -1000
CT_OFFSET_HU = -1000  # the challenge stores HU + 1000, so that air is 0 and need not be listed
MIN_FILLED_SHARE = 0.2  # of the fullest slice of the mask
MIN_KEPT_SHARE = 0.2  # of a structure's voxels: of which less remains counts as not contoured
MIN_KEPT_VOXELS = 20


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A cut patient.

    Attributes:
        ct: int16 HU, axes to the patient's left, posterior and superior, origin 0.
        labels_ZYX: uint8 numbers of the structures on the CT's grid, 0 outside.
        contoured: native names of the structures of which enough remains, in the order of their numbers.
    """

    ct: sitk.Image
    labels_ZYX: np.ndarray
    contoured: tuple[str, ...]


def read_patient(case: str, folder: Path, label_of: Mapping[str, int]) -> Patient:
    """Reads and cuts one patient.

    Args:
        case: the case's pseudonym, for messages.
        folder: ``pt_<number>`` of the public repository.
        label_of: native name -> number, of the structures to read; where two overlap, the greater number stays. A structure
            without a file is not contoured.

    Raises:
        CaseError: a file that is missing or damaged, or an empty ``possible_dose_mask``.
    """
    region_ZYX = _mask_ZYX(read_indices(case, folder / "possible_dose_mask.csv"))
    slices = _filled_slices(case, region_ZYX)
    region_ZYX = region_ZYX[slices]
    indices, values = read_values(case, folder / "ct.csv")
    hu_YXZ = np.full(GRID_SIZE**3, AIR_HU, np.float64)
    hu_YXZ[indices] = values + CT_OFFSET_HU
    hu_ZYX = np.where(region_ZYX, _to_ZYX(hu_YXZ)[slices], AIR_HU)
    labels_ZYX = np.zeros(region_ZYX.shape, np.uint8)
    contoured = []
    for name, label in sorted(label_of.items(), key=lambda item: item[1]):
        inside_ZYX = _remaining(case, folder / f"{name}.csv", region_ZYX, slices)
        if inside_ZYX is not None:
            labels_ZYX[inside_ZYX] = label
            contoured.append(name)
    ct = sitk.GetImageFromArray(hu_ZYX)
    ct.SetSpacing(read_spacing(case, folder / "voxel_dimensions.csv"))
    return Patient(ct=as_int16(case, ct), labels_ZYX=labels_ZYX, contoured=tuple(contoured))


def _remaining(case: str, path: Path, region_ZYX: np.ndarray, slices: slice) -> np.ndarray | None:
    """What remains of a structure; None where that is not enough, or nothing was drawn."""
    if not path.is_file():
        return None
    drawn = read_indices(case, path)
    inside_ZYX = _mask_ZYX(drawn)[slices] & region_ZYX
    num_kept = np.count_nonzero(inside_ZYX)
    return inside_ZYX if num_kept >= max(MIN_KEPT_VOXELS, MIN_KEPT_SHARE * len(drawn)) else None


def _filled_slices(case: str, region_ZYX: np.ndarray) -> slice:
    filled_voxels = np.count_nonzero(region_ZYX, axis=(1, 2))
    if not filled_voxels.any():
        raise CaseError(case, "expected voxels in possible_dose_mask.csv, found none; clone the repository again")
    kept = np.flatnonzero(filled_voxels >= MIN_FILLED_SHARE * filled_voxels.max())
    return slice(int(kept[0]), int(kept[-1]) + 1)


def _mask_ZYX(indices: np.ndarray) -> np.ndarray:
    mask_YXZ = np.zeros(GRID_SIZE**3, bool)
    mask_YXZ[indices] = True
    return _to_ZYX(mask_YXZ)


def _to_ZYX(flat_YXZ: np.ndarray) -> np.ndarray:
    """The challenge counts rows to posterior, columns to the patient's left, and slices, the fastest, from the head down."""
    return flat_YXZ.reshape((GRID_SIZE,) * 3).transpose(2, 0, 1)[::-1]
