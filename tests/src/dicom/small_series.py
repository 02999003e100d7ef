"""From the files of a small export to its one CT series, grid and HU; and what a refusal says."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from src.dicom.ct_pixels import read_ct
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.dicom.objects import CTSeries, Export, ExportedPatient, Grid, SliceStack
from src.errors import DicomError
from tests.small_export import SmallPatient, write_ct


def only_patient(folder: Path) -> ExportedPatient:
    (patient,) = scan_export(folder).patients
    return patient


def only_series(folder: Path) -> CTSeries:
    (series,) = only_patient(folder).series
    return series


def stack_of(folder: Path) -> SliceStack:
    return stack_slices(only_series(folder))


def write_series(folder: Path, change=None, patient: SmallPatient | None = None) -> Path:
    write_ct(folder, patient or SmallPatient(), change=change)
    return folder


def refusal(folder: Path) -> str:
    """Why the one series of a folder is refused, by the grid or by the pixels."""
    with pytest.raises(DicomError) as caught:
        read_ct(stack_of(folder))
    return str(caught.value)


def label_of(export: Export, path: Path) -> str:
    return next(file.label for file in export.files if file.path == path)


def label_in(folder: Path, ending: str) -> str:
    """Label of the one file whose name ends so."""
    (label,) = [file.label for file in scan_export(folder).files if file.path.name.endswith(ending)]
    return label


def assert_grid(grid: Grid, patient: SmallPatient, atol: float = 1e-6) -> None:
    """The grid that the patient was written with, whichever way its slices were numbered."""
    assert grid.size == patient.size
    np.testing.assert_allclose(grid.spacing_mm, patient.spacing_mm, rtol=1e-6)
    np.testing.assert_allclose(grid.origin_mm, patient.origin_mm, atol=atol)
    np.testing.assert_allclose(grid.direction, patient.direction, atol=1e-6)


def hu_of(ct: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(ct)
