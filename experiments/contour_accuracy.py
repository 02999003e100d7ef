"""Masks of real RTSTRUCTs beside independent answers: the IBSI's published mask, and plastimatch with both of its rules.

plastimatch joins contours of a slice (OR: holes are filled) or takes exclusive or (XOR: contours stored twice are erased);
where ours agrees with one and not with the other, the file holds holes or copies.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from rich.table import Table

from data_prep.rasterise.roi_mask import RasterisedRoi, rasterise
from experiments import plastimatch
from experiments.command import exit_code_of
from experiments.federation.template import REPOSITORY
from experiments.table import render
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.dicom.objects import Grid, Roi
from src.dicom.pairing import find_series
from src.dicom.structure_set import read_structure_set

DATA = REPOSITORY.parent / "shared" / "data"
# Folder, RTSTRUCT in it, folder of its CT or None where the CT is not at hand and a grid is put around the contours.
FILES = (
    ("ibsi1_lung_phantom", "dicom/mask/DCM_RS_00060.dcm", "dicom/image"),
    ("lung1_002_xio", "RTSTRUCT.dcm", "CT"),
    ("rtstruct_only", "LUNG1-003_cms_xio.dcm", None),
    ("rtstruct_only", "dicompyler_eclipse_breast.dcm", None),
)
IBSI_MASK = "nifti/mask/mask.nii.gz"
RULES = {"plastimatch OR": (), "plastimatch XOR": ("--xor-contours",)}
REFERENCES = (*RULES, "IBSI")
MARGIN_MM = np.array([5, 5, 0])


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One ROI beside its references; ``references`` maps the reference's name to its volume in cm³ and its Dice with ours."""

    file: str
    roi: str
    ours: RasterisedRoi
    references: Mapping[str, tuple[float, float]]
    seconds: float


def compare(data: Path, folder: str, structures: str, ct: str | None) -> Iterator[Comparison]:
    """All ROIs with contours of one RTSTRUCT."""
    rois, grid = _read(data / folder, structures, ct)
    references = {
        name: plastimatch.masks(data / folder / structures, ct and data / folder / ct, grid, rule)
        for name, rule in RULES.items()
    }
    if folder.startswith("ibsi"):
        references["IBSI"] = {rois[0].name: sitk.GetArrayFromImage(sitk.ReadImage(data / folder / IBSI_MASK)) > 0}
    voxel_cm3 = float(np.prod(grid.spacing_mm)) / 1000
    for roi in rois:
        began = time.perf_counter()
        ours = rasterise(roi, grid)
        seconds = time.perf_counter() - began
        beside = {name: masks[roi.name] for name, masks in references.items()}
        scores = {name: (voxel_cm3 * np.count_nonzero(mask), dice(ours.mask_ZYX, mask)) for name, mask in beside.items()}
        yield Comparison(file=folder if ct else structures, roi=roi.name, ours=ours, references=scores, seconds=seconds)


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Dice of two masks of which one at least is not empty."""
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def _read(folder: Path, structures: str, ct: str | None) -> tuple[list[Roi], Grid]:
    pairs = [(header, patient) for patient in scan_export(folder).patients for header in patient.structure_sets]
    header, patient = next(pair for pair in pairs if pair[0].file.path == folder / structures)
    rois = [roi for roi in read_structure_set(header).rois if roi.contours]
    return rois, stack_slices(find_series(header, patient).series).grid if ct else grid_around(rois)


def grid_around(rois: list[Roi]) -> Grid:
    """Square pixels of 0.977 mm and slices on the planes of the contours, 3 mm apart in these files."""
    points_mm = np.concatenate([contour.points_mm for roi in rois for contour in roi.contours])
    spacing_mm, low = np.array([0.977, 0.977, 3.0]), points_mm.min(axis=0) - MARGIN_MM
    size = np.ceil((points_mm.max(axis=0) + MARGIN_MM - low) / spacing_mm - 1e-3).astype(int) + 1
    return Grid(size=tuple(size.tolist()), spacing_mm=tuple(spacing_mm.tolist()), origin_mm=low, direction=np.eye(3))


def table(comparisons: list[Comparison]) -> Table:
    """One row per ROI."""
    shown = Table(title="volumes in cm³, Dice of our mask with the reference's", title_justify="left")
    for heading in ("file", "ROI", "contours", "our mask", *(f"{name}, Dice" for name in REFERENCES), "seconds"):
        shown.add_column(heading, justify="left" if heading in ("file", "ROI") else "right")
    for row in comparisons:
        beside = ("{:.2f}, {:.4f}".format(*row.references[name]) if name in row.references else "-" for name in REFERENCES)
        volumes = f"{row.ours.polygon_cm3:.2f}", f"{row.ours.mask_cm3:.2f}"
        shown.add_row(row.file, row.roi, *volumes, *beside, f"{row.seconds:.3f}")
    return shown


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m experiments.contour_accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real files (default: ../shared/data)")
    given = parser.parse_args()
    print(render(table([row for file in FILES for row in compare(given.data, *file)])), end="")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
