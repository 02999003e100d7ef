"""A CT in NIfTI -> a mask for each structure: what the bundle runs. Part of openfl-oar, shipped with the modules it uses."""

from collections.abc import Mapping
from pathlib import Path

import SimpleITK as sitk

from src.data.case_image import as_int16, to_mask
from src.data.nifti_file import read_volume
from src.data.preprocessing import GridGeometry, Preprocessing, array_XYZ, to_working_grid
from src.model.inference import Predictor


def segment(
    ct: str, output_dir: str, predictor: Predictor, preprocessing: Preprocessing, structures: Mapping[str, str]
) -> None:
    """Writes ``<structure>.nii.gz`` (uint8, 1 inside, on the CT's own grid) for each structure.

    Args:
        ct: NIfTI file of HU, in any orientation.
        output_dir: made if it is not there; masks in it are replaced.
        predictor: applies the network.
        preprocessing: of the working grid the network was trained on.
        structures: channel -> TG-263 name; the channels that are wanted.

    Raises:
        CaseError: the file is no CT that can be read.
    """
    image = as_int16("ct", read_volume("ct", Path(ct), "CT"))
    working = to_working_grid(image, preprocessing)
    folder = Path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    masks = predictor.masks(
        array_XYZ(working), GridGeometry.of(working), GridGeometry.of(image), [int(channel) for channel in structures]
    )
    for channel, mask_XYZ in masks:
        path = folder / f"{structures[str(channel)]}.nii.gz"
        partial = folder / f".partial.{path.name}"
        sitk.WriteImage(to_mask(mask_XYZ.transpose(2, 1, 0), image), str(partial), useCompression=True)
        partial.replace(path)
