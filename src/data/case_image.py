"""The images of a case: read whole and undamaged, on one grid, in the type a dataset holds."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from src.data.nifti_bytes import find_damage
from src.errors import CaseError


def read_image(case: str, path: Path) -> sitk.Image:
    """One 3D volume of a case.

    Raises:
        CaseError: the file is missing, unreadable, damaged, or no single 3D volume.
    """
    if not path.is_file():
        raise CaseError(case, f"expected the file {path.name}, found none; convert the case again")
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise CaseError(case, f"{path.name} is not a readable NIfTI file; convert the case again") from error
    if damage := find_damage(path):
        raise CaseError(case, f"{path.name} {damage}; convert the case again")
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise CaseError(case, f"expected one 3D volume in {path.name}, found {image.GetDimension()} dimensions")
    return image


def check_same_grid(case: str, structure: str, mask, ct) -> None:
    """Refuses a mask that does not lie on its CT's grid (size; spacing, origin and direction to 1e-3).

    Args:
        case, structure: names for the message.
        mask, ct: SimpleITK images, or readers that hold their header.

    Raises:
        CaseError: they differ.
    """
    for what, tolerance in (("Size", 0), ("Spacing", 1e-3), ("Origin", 1e-2), ("Direction", 1e-3)):
        found, expected = getattr(mask, f"Get{what}")(), getattr(ct, f"Get{what}")()
        if len(found) != len(expected) or not np.allclose(found, expected, rtol=0, atol=tolerance):
            raise CaseError(
                case,
                f"the mask of {structure} lies on another grid than its CT: expected {what.lower()} "
                f"{_short(expected)}, found {_short(found)}; export both from the same series",
            )


def _short(values) -> str:
    return "(" + ", ".join(f"{value:.4g}" for value in values) + ")"


def to_mask(inside_ZYX: np.ndarray, ct: sitk.Image) -> sitk.Image:
    """A mask in the type datasets hold, uint8 0 or 1, on the grid of its CT.

    Args:
        inside_ZYX: bool, of the CT's size.
        ct: for the grid.
    """
    mask = sitk.GetImageFromArray(np.ascontiguousarray(inside_ZYX).view(np.uint8))
    mask.CopyInformation(ct)
    return mask


def as_uint8(mask: sitk.Image) -> sitk.Image:
    """A mask in the type datasets hold: 1 where it is above 0; one that is so already comes back as it is."""
    if mask.GetPixelID() == sitk.sitkUInt8 and sitk.GetArrayViewFromImage(mask).max() <= 1:
        return mask
    return sitk.Cast(mask > 0, sitk.sitkUInt8)


def as_int16(case: str, ct: sitk.Image) -> sitk.Image:
    """The CT in the type datasets hold: int16 HU, fractions rounded.

    Raises:
        CaseError: NaN, infinite or beyond int16.
    """
    hu_ZYX = sitk.GetArrayViewFromImage(ct)
    if not np.isfinite(hu_ZYX).all():
        raise CaseError(case, "the CT holds NaN or infinite voxels; export it again")
    if hu_ZYX.min() < -32768 or hu_ZYX.max() > 32767:
        raise CaseError(
            case, f"expected HU within int16, found {hu_ZYX.min():.0f} to {hu_ZYX.max():.0f}; check slope and intercept"
        )
    if ct.GetPixelID() == sitk.sitkInt16:
        return ct
    if hu_ZYX.dtype.kind == "f":
        ct = sitk.Round(ct)
    return sitk.Cast(ct, sitk.sitkInt16)
