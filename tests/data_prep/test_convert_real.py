"""Every folder of real files is converted to the documented result, or refused for the right reason."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from data_prep.__main__ import main
from data_prep.conversion.outcome import CaseOutcome
from data_prep.conversion.outcome_store import OutcomeStore
from src.data.dataset import Dataset
from tests.conftest import SHARED_DATA

NO_RTSTRUCT = "expected an RTSTRUCT of this patient, found none"
NO_CT = "expected a CT series of this patient, found none"
NO_MASK = "expected an ROI that becomes a mask, found none"


def convert(folder: Path, output: Path, *more: str) -> int:
    return main(["convert", "--input", str(folder), "--output", str(output), "--site", "n", "--anatomy", "liver", *more])


def outcomes(output: Path) -> list[CaseOutcome]:
    """By what was found of them, as their pseudonyms come in no order."""
    return sorted((stored.outcome for stored in OutcomeStore(output).read_all().values()), key=lambda one: one.found)


@pytest.fixture
def shared(request) -> Path:
    folder = SHARED_DATA / request.param
    if not folder.is_dir():
        pytest.skip(f"needs the real files of shared/data/{request.param}")
    return folder


# Folder -> its patients: what was found of each, and why it was refused.
REFUSED = {
    "chaos_liver": {"CT series_1: 78 slices of 512 × 512, 0.7266 × 0.7266 × 2 mm": [NO_RTSTRUCT]},
    "totalsegmentator_example/example_ct_dicom": {"CT series_1: 20 slices of 512 × 512, 0.9766 × 0.9766 × 2 mm": [NO_RTSTRUCT]},
    "dicom_seg_liver": {
        "CT series_1: 3 slices of 512 × 512, 0.8105 × 0.8105 × 1 mm": [NO_RTSTRUCT],
        "2 files not used: a DICOM SEG": [NO_RTSTRUCT, NO_CT],
    },
    "ct_geometry_traps/philips_tilt_-18.5": {"CT series_1: 13 images of 512 × 512": [NO_RTSTRUCT, "gantry"]},
    "ct_geometry_traps/gantrytilting": {"CT series_1": [NO_RTSTRUCT, "gantry"]},
    "ct_geometry_traps/notavolume": {"CT series_1: 4 images": [NO_RTSTRUCT, "lie at the same place"]},
    "ct_geometry_traps/sliceincrement": {"CT series_1": [NO_RTSTRUCT, "missing"]},
    "rtstruct_only": {
        "CT series_1: 1 image of 512 × 512": ["a single slice"],
        "CT series_1: 2 slices of 512 × 512, 0.4883 × 0.4883 × 5 mm": [NO_MASK],
        "CT series_1: 3 slices of 100 × 50, 2.5 × 3.5 × 4.5 mm": [NO_RTSTRUCT],
        "RTSTRUCT file_0001: 25 ROIs": [NO_CT],
    },
    "ibsi1_lung_phantom/dicom": {"CT series_1: 60 slices of 204 × 201, 0.977 × 0.977 × 3 mm": [NO_MASK]},
}


@pytest.mark.parametrize(("shared", "expected"), REFUSED.items(), indirect=["shared"], ids=list(REFUSED))
def test_a_folder_that_cannot_be_converted_is_refused_for_the_right_reason(shared, expected, tmp_path):
    assert convert(shared, tmp_path / "out") == 1
    assert Dataset.open(tmp_path / "out").cases == {}
    found = outcomes(tmp_path / "out")
    assert len(found) == len(expected)
    for outcome, (what, reasons) in zip(found, sorted(expected.items()), strict=True):
        assert outcome.status == "refused"
        assert outcome.found[0].startswith(what)
        assert len(outcome.refusals) == len(reasons), outcome.refusals
        for refusal, reason in zip(outcome.refusals, reasons, strict=True):
            assert reason in refusal


@pytest.mark.parametrize("shared", ["hn_interobserver_labels", "openkbp_head_neck", "tg263"], indirect=True)
def test_a_folder_without_dicom_is_told_in_one_line(shared, tmp_path, capsys):
    assert convert(shared, tmp_path / "out") == 1
    assert capsys.readouterr().err.startswith("error: expected DICOM files in the export, found none among ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("shared", ["ibsi1_lung_phantom"], indirect=True)
def test_the_phantom_of_the_ibsi_comes_out_as_the_ibsi_has_it(shared, tmp_path):
    """A real patient, end to end: voxels and mask are those that the IBSI published as NIfTI. Its tumour plays an organ."""
    (tmp_path / "names.csv").write_text("native,tg263\nGTV-1,Lung_R\n")
    assert convert(shared / "dicom", tmp_path / "out", "--names", str(tmp_path / "names.csv")) == 0
    dataset = Dataset.open(tmp_path / "out")
    (case,) = dataset.cases
    (ct_path,), (mask_path,) = (list((shared / "nifti" / kind).glob("*.nii*")) for kind in ("image", "mask"))
    published_ct, published_mask = sitk.ReadImage(str(ct_path)), sitk.ReadImage(str(mask_path))
    ct, mask = dataset.read_ct(case), dataset.read_mask(case, "Lung_R")
    np.testing.assert_allclose(ct.GetOrigin(), published_ct.GetOrigin(), atol=1e-3)
    np.testing.assert_allclose(ct.GetSpacing(), published_ct.GetSpacing(), atol=1e-4)
    assert (sitk.GetArrayFromImage(ct) == sitk.GetArrayFromImage(published_ct)).all()
    assert (sitk.GetArrayFromImage(mask) == (sitk.GetArrayFromImage(published_mask) > 0)).all()
    assert sitk.GetArrayFromImage(mask).sum() == 125_256


# Volumes of the contours' polygons, cm³, by shared/dicom-and-metrics.md's ranges and the README of the folder.
XIO = {"SpinalCord": 63.6, "Esophagus": 55.1, "Heart": 1069, "Lung_L": 1965, "Lung_R": 1886}


@pytest.mark.slow
@pytest.mark.parametrize("shared", ["lung1_002_xio"], indirect=True)
def test_a_planning_ct_of_512_pixels_with_sixteen_rois(shared, tmp_path):
    assert convert(shared, tmp_path / "out") == 0
    (outcome,) = outcomes(tmp_path / "out")
    assert outcome.size == (512, 512, 111)
    assert outcome.spacing_mm == (0.977, 0.977, 3.0)
    converted = {roi.structure: roi.volume_cm3 for roi in outcome.rois if roi.structure}
    assert converted == pytest.approx(XIO, rel=0.005)
    left_out = {roi.native for roi in outcome.rois if roi.decision == "left out"}
    assert left_out == {"Patient", "GTV-1", "PTV-1", "CTV-1", "contrast", "I1", *(f"Isocenter {n}" for n in range(1, 6))}
    (lung,) = [roi for roi in outcome.rois if roi.structure == "Lung_L"]
    assert any("cop" in note for note in lung.notes)


@pytest.mark.slow
@pytest.mark.parametrize("shared", ["."], indirect=True)
def test_all_folders_as_one_export(shared, tmp_path):
    """Mixed as exports are: links to every folder; one patient is converted, and nobody stops another."""
    export = tmp_path / "in"
    export.mkdir()
    for folder in shared.iterdir():
        if folder.is_dir():
            (export / folder.name).symlink_to(folder)
    assert convert(export, tmp_path / "out") == 1
    assert [outcome.status for outcome in outcomes(tmp_path / "out")].count("converted") == 1
    (record,) = Dataset.open(tmp_path / "out").cases.values()
    assert set(record.structures) == set(XIO)
