"""Reading one NIfTI file of somebody else's: found, readable, 3D, finite; or refused by the case's pseudonym."""

from pathlib import Path

import SimpleITK as sitk

from src.data.nifti_bytes import find_damage
from src.errors import CaseError

ENDINGS = (".nii.gz", ".nii")


def find_nifti(case: str, folder: Path, name: str, what: str) -> Path:
    """The file ``<folder>/<name>`` with one of ``ENDINGS``.

    Args:
        case: pseudonym for the message.
        folder, name: where to look; the name is without ending.
        what: what it should hold, for the message.

    Raises:
        CaseError: there is none.
    """
    for ending in ENDINGS:
        if (folder / f"{name}{ending}").is_file():
            return folder / f"{name}{ending}"
    raise CaseError(
        case, f"expected its {what} in '{folder.name}' as .nii.gz or .nii, found none; add the file or drop the row"
    )


def native_name(path: Path) -> str | None:
    """The file's name without its NIfTI ending, or None for another kind of file."""
    for ending in ENDINGS:
        if path.name.endswith(ending) and not path.name.startswith("."):
            return path.name.removesuffix(ending)
    return None


def read_header(case: str, path: Path, what: str) -> sitk.ImageFileReader:
    """Size, spacing, origin and direction of a 3D NIfTI file, without its voxels.

    Raises:
        CaseError: unreadable, or not one 3D volume.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(case, what) from error
    if reader.GetDimension() != 3 or reader.GetNumberOfComponents() != 1:
        raise CaseError(
            case, f"expected one 3D volume as its {what}, found {reader.GetDimension()} dimensions; export it again"
        )
    return reader


def read_volume(case: str, path: Path, what: str) -> sitk.Image:
    """A 3D NIfTI file with finite voxels, in the type it is stored in.

    Raises:
        CaseError: unreadable, not one 3D volume, or NaN or infinite voxels.
    """
    reader = read_header(case, path, what)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise _unreadable(case, what) from error
    if damage := find_damage(path):
        raise CaseError(case, f"its {what} {damage}; export it again")
    return image


def _unreadable(case: str, what: str) -> CaseError:
    return CaseError(
        case, f"expected a readable NIfTI file as its {what}, found another kind of file or half of one; export it again"
    )
