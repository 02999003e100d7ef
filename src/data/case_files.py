"""The files of one case, written beside their final place: the slow part, which any process may do."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import SimpleITK as sitk

from src.data.case_image import as_int16, as_uint8, check_same_grid
from src.data.dataset import check_name
from src.data.structures import load_structures


def write_beside(dataset_path: Path, name: str, ct: sitk.Image, masks: Mapping[str, sitk.Image]) -> Path:
    """Checks one case and writes it into ``cases/.<name>.partial``; nothing reads it there.

    The same voxels make the same bytes: the gzip streams carry no time. ``DatasetWriter.place_case`` then moves it into place.

    Args:
        dataset_path: folder of the dataset.
        name: pseudonym of the case.
        ct: HU on the planning CT's grid; written as int16, values beyond its range are refused.
        masks: TG-263 name -> mask on the same grid; every voxel above 0 belongs to it.

    Returns:
        The folder written.

    Raises:
        CaseError: NaN or values beyond int16 in the CT, a mask on another grid.
        StructureError: a name that is not in the table.
    """
    check_name("case", name)
    table = load_structures()
    for structure, mask in masks.items():
        check_same_grid(name, table[structure].name, mask, ct)
    partial = partial_folder(dataset_path, name)
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "structures").mkdir(parents=True)
    sitk.WriteImage(as_int16(name, ct), str(partial / "ct.nii.gz"), useCompression=True)
    for structure, mask in masks.items():
        sitk.WriteImage(as_uint8(mask), str(partial / "structures" / f"{structure}.nii.gz"), useCompression=True)
    return partial


def partial_folder(dataset_path: Path, name: str) -> Path:
    """Where a case is written before it is moved into its place."""
    return dataset_path / "cases" / f".{name}.partial"
