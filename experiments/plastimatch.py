"""plastimatch, an outside rasteriser to compare with. Source: https://plastimatch.org, 1.10.0."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from src.dicom.objects import Grid
from src.errors import DatasetError

PROGRAM = Path(sys.executable).with_name("plastimatch")
_LONGEST_S = 300


def masks(structures: Path, ct: Path | None, grid: Grid, options: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Rasterises an RTSTRUCT.

    Args:
        structures: the file.
        ct: folder of the CT it was drawn on; plastimatch then finds the grid itself.
        grid: where there is no CT; along the patient's axes.
        options: further ones of ``plastimatch convert``.

    Returns:
        ROI name -> (Z, Y, X) bool; a slash in a name comes out as another character.

    Raises:
        DatasetError: there is no plastimatch here, or it cannot read the files.
    """
    if not PROGRAM.exists():
        raise DatasetError(f"expected plastimatch beside {sys.executable}, found none; it has wheels for Linux on x86-64 alone")
    with tempfile.TemporaryDirectory() as scratch:
        where = ["--referenced-ct", ct] if ct else ["--fixed", _write_grid(Path(scratch) / "grid.mha", grid)]
        output = Path(scratch) / "masks"
        command = [PROGRAM, "convert", "--input", structures, *where, "--output-prefix", output, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S)
        if done.returncode or not output.is_dir():
            raise DatasetError(
                f"expected masks of {structures.name} from plastimatch, found: {(done.stdout + done.stderr)[-300:]}"
            )
        return {path.stem: sitk.GetArrayFromImage(sitk.ReadImage(path)) > 0 for path in output.iterdir()}


def _write_grid(path: Path, grid: Grid) -> Path:
    image = sitk.Image(*grid.size, sitk.sitkUInt8)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm.tolist())
    sitk.WriteImage(image, path)
    return path
