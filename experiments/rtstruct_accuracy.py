"""What a mask loses on its way through an RTSTRUCT: read back by this project and by other people's code.

A real patient's contours become masks, the masks an RTSTRUCT on their CT, and that is read back. plastimatch asks, as we do,
whether a pixel's centre is inside. rt-utils and pydicomrt round every point to a whole pixel before they fill, and so draw any
contour, whoever wrote it, about half a pixel too large: their columns show that they read the file, not what it holds. The last
column is what smoothing the outline of a mask would cost. A predicted field needs none: it is smooth.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pydicom
from rich.table import Table
from scipy.ndimage import gaussian_filter

from data_prep.rasterise.roi_mask import rasterise
from experiments import plastimatch
from experiments.command import exit_code_of
from experiments.contour_accuracy import DATA, dice
from experiments.table import render
from src.data.structures import load_structures
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.dicom.objects import ExportedPatient, SliceStack
from src.dicom.pairing import find_series
from src.dicom.structure_set import read_structure_set
from src.rtstruct.origin import Origin
from src.rtstruct.structure_field import StructureField
from src.rtstruct.write import write_rtstruct

FOLDER = "lung1_002_xio"
SMOOTHED_VOXELS = (1.0, 1.0, 0.0)
_ORIGIN = Origin(label="there and back", description="masks of a person's contours", software_version="0")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One structure; ``beside`` maps a reader's name to its Dice with the mask and its volume in cm³."""

    name: str
    cm3: float
    beside: Mapping[str, tuple[float, float]]


def read_by_plastimatch(path: Path, ct: Path, stack: SliceStack) -> dict[str, np.ndarray]:
    """ROI name -> (X, Y, Z) bool."""
    return {name: mask_ZYX.transpose(2, 1, 0) for name, mask_ZYX in plastimatch.masks(path, ct, stack.grid).items()}


def read_by_rt_utils(path: Path, ct: Path, stack: SliceStack) -> dict[str, np.ndarray]:
    """ROI name -> (X, Y, Z) bool; of square images, since it mixes up rows and columns of others."""
    from rt_utils import RTStructBuilder

    structures = RTStructBuilder.create_from(dicom_series_path=str(ct), rt_struct_path=str(path))
    return {name: structures.get_roi_mask_by_name(name).transpose(1, 0, 2) for name in structures.get_roi_names()}


def read_by_pydicomrt(path: Path, ct: Path, stack: SliceStack) -> dict[str, np.ndarray]:
    """ROI name -> (X, Y, Z) bool."""
    from pydicomrt.rs.rs_to_volume import calc_image_series_affine_mapping, rtstruct_to_masks

    series = [pydicom.dcmread(image.file.path, stop_before_pixels=True) for image in stack.slices]
    masks = rtstruct_to_masks(pydicom.dcmread(path), *calc_image_series_affine_mapping(series))
    return {name: (read["mask_volume"] > 0).transpose(2, 1, 0) for name, read in masks.items()}


READERS: Mapping[str, tuple[str, Callable]] = {
    "plastimatch": ("plastimatch", read_by_plastimatch),
    "rt-utils": ("rt_utils", read_by_rt_utils),
    "pydicomrt": ("pydicomrt", read_by_pydicomrt),
}


def read_back(path: Path, stack: SliceStack) -> dict[str, np.ndarray]:
    """ROI name -> (X, Y, Z) bool, as a conversion does; the file lies alone in its folder."""
    (header,) = scan_export(path.parent).patients[0].structure_sets
    return {roi.name: rasterise(roi, stack.grid).mask_ZYX.transpose(2, 1, 0) for roi in read_structure_set(header).rois}


def drawn_masks(patient: ExportedPatient, stack: SliceStack) -> dict[str, np.ndarray]:
    """TG-263 name -> (X, Y, Z) bool, of those contours of a patient whose names we know."""
    rois = [roi for roi in read_structure_set(patient.structure_sets[0]).rois if roi.contours]
    named = {load_structures().match(roi.name): roi for roi in rois}
    return {name: rasterise(roi, stack.grid).mask_ZYX.transpose(2, 1, 0) for name, roi in named.items() if name}


def compare(folder: Path) -> tuple[list[Row], float]:
    """All structures of one patient, and the seconds that writing their RTSTRUCT took."""
    (patient,) = scan_export(folder).patients
    stack = stack_slices(find_series(patient.structure_sets[0], patient).series)
    masks = drawn_masks(patient, stack)
    voxel_cm3 = float(np.prod(stack.grid.spacing_mm)) / 1000
    fields = [StructureField.of_mask(name, mask) for name, mask in masks.items()]
    smooth = [
        StructureField.of_values(name, gaussian_filter(mask - np.float32(0.5), SMOOTHED_VOXELS)) for name, mask in masks.items()
    ]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "exact" / "RS.dcm"
        began = time.process_time()
        write_rtstruct(path, stack, fields, origin=_ORIGIN)
        seconds = time.process_time() - began
        write_rtstruct(Path(scratch) / "smooth" / "RS.dcm", stack, smooth, origin=_ORIGIN)
        ct = Path(scratch) / "CT"
        ct.mkdir()
        for image in stack.slices:
            shutil.copy(image.file.path, ct / f"{image.file.label}.dcm")
        read = {"data_prep convert": read_back(path, stack)}
        read |= {name: reader(path, ct, stack) for name, (module, reader) in READERS.items() if find_spec(module)}
        read["smoothed, convert"] = read_back(Path(scratch) / "smooth" / "RS.dcm", stack)
    rows = []
    for name, mask in masks.items():
        beside = {by: (dice(mask, found[name]), voxel_cm3 * np.count_nonzero(found[name])) for by, found in read.items()}
        rows.append(Row(name=name, cm3=voxel_cm3 * np.count_nonzero(mask), beside=beside))
    return rows, seconds


def table(rows: list[Row]) -> Table:
    """One row per structure, one column per reader."""
    shown = Table(title="mask -> RTSTRUCT -> mask: Dice, and difference of volumes", title_justify="left")
    shown.add_column("structure")
    for heading in ("cm³", *rows[0].beside):
        shown.add_column(heading, justify="right")
    for row in rows:
        cells = (f"{score:.4f}, {100 * (cm3 / row.cm3 - 1):+.2f} %" for score, cm3 in row.beside.values())
        shown.add_row(row.name, f"{row.cm3:.2f}", *cells)
    return shown


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m experiments.rtstruct_accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real files (default: ../shared/data)")
    rows, seconds = compare(parser.parse_args().data / FOLDER)
    print(render(table(rows)), end="")
    print(f"written in {seconds:.2f} s of processor time")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
