"""One mask per structure as NIfTI, on the CT's own grid."""

from pathlib import Path

import SimpleITK as sitk

from src.data.case_image import to_mask
from src.data.nifti_bytes import find_damage
from src.errors import DiskError
from src.rtstruct.structure_field import StructureField


def mask_of(structure: StructureField, ct: sitk.Image) -> sitk.Image:
    """uint8, 1 inside and 0 elsewhere, with size, spacing, origin and direction of the CT."""
    return to_mask(structure.whole_mask_XYZ.transpose(2, 1, 0), ct)


def write_mask(folder: Path, structure: str, mask: sitk.Image) -> None:
    """Writes ``<structure>.nii.gz``; the same voxels make the same bytes.

    Raises:
        DiskError: it is not on the disk whole. ITK does not tell when a disk has no room, so the file is read again.
    """
    path = folder / f"{structure}.nii.gz"
    try:
        sitk.WriteImage(mask, str(path), useCompression=True)
        damage = find_damage(path)
    except (RuntimeError, OSError):
        damage = "cannot be written"
    if damage:
        raise DiskError(f"expected '{path.name}' whole in the output folder, found that it {damage}; make room on the disk")
