"""Real exports: each folder becomes the volume that an independent reading says, or is refused for the right reason."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from src.dicom.ct_pixels import read_ct
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.dicom.objects import ExportedPatient, SliceStack
from src.errors import DicomError
from tests.conftest import SHARED_DATA


def real(folder: str) -> Path:
    if not (SHARED_DATA / folder).is_dir():
        pytest.skip(f"../shared/data/{folder} is not here")
    return SHARED_DATA / folder


def patient_of(folder: str) -> ExportedPatient:
    (patient,) = scan_export(real(folder)).patients
    return patient


def stack_of(folder: str) -> SliceStack:
    return stack_slices(patient_of(folder).series[0])


def refusal(folder: str, series: int = 0) -> str:
    with pytest.raises(DicomError) as caught:
        stack_slices(patient_of(folder).series[series])
    return str(caught.value)


def test_every_file_of_the_shared_data_is_accounted_for():
    export = scan_export(real("."))
    used = []
    for patient in export.patients:
        used += [item.file.label for item in (*patient.skipped, *patient.structure_sets)]
        used += [item.file.label for series in patient.series for item in (*series.slices, *series.broken)]
    assert sorted([*used, *(item.file.label for item in export.skipped)]) == [file.label for file in export.files]


@pytest.mark.parametrize(("folder", "angle"), [("gantrytilting", "14.0"), ("philips_tilt_-18.5", "18.5")])
def test_gantry_tilts_are_refused_with_their_angle(folder, angle):
    assert f"gantry tilt of {angle}°" in refusal(f"ct_geometry_traps/{folder}")


def test_four_images_at_one_place_are_no_volume():
    said = refusal("ct_geometry_traps/notavolume")
    assert "file_0001, file_0002, file_0003, file_0004 lie at the same place with different voxels" in said


def test_a_missing_slice_is_refused():
    said = refusal("ct_geometry_traps/sliceincrement")
    assert "1 missing slice: a step of 10 mm between file_0003 and file_0004 where others are 5 mm" in said


def test_the_localizer_of_a_study_is_skipped():
    patient = patient_of("ct_geometry_traps/philips_localizer_same_study")
    assert patient.series == () and [item.why for item in patient.skipped] == ["a localizer"]


def test_segmentations_are_skipped_and_the_three_slices_beside_them_read():
    patient = next(patient for patient in scan_export(real("dicom_seg_liver")).patients if patient.series)
    assert {item.why for item in patient.skipped} == {"a DICOM SEG: segmentations are not read, only RTSTRUCT"}
    stack = stack_slices(patient.series[0])
    assert stack.grid.size == (512, 512, 3)
    np.testing.assert_allclose(stack.grid.spacing_mm, (0.810547, 0.810547, 1.0))


@pytest.fixture(scope="module")
def chaos() -> sitk.Image:
    return read_ct(stack_of("chaos_liver/DICOM_anon"))


def test_chaos_has_two_millimetre_slices_whatever_its_thickness_says(chaos):
    assert chaos.GetSize() == (512, 512, 78)
    np.testing.assert_allclose(chaos.GetSpacing(), (0.7265625, 0.7265625, 2.0))
    assert chaos.GetOrigin() == (-185, -98, 1536.5)


def test_the_published_liver_of_chaos_has_the_hu_of_a_liver(chaos):
    """PNG 000 is the most superior slice, ours the most inferior: wrongly ordered, the same mask holds 36 ± 248 HU."""
    files = sorted((real("chaos_liver") / "Ground").glob("*.png"))
    liver_ZYX = np.stack([sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in files])[::-1] > 0
    hu = sitk.GetArrayViewFromImage(chaos)[liver_ZYX]
    assert (hu.mean(), hu.std()) == (pytest.approx(141, abs=1), pytest.approx(34, abs=1))


def test_lung1_has_111_slices_of_three_millimetres():
    patient = patient_of("lung1_002_xio")
    (series,) = patient.series
    (header,) = patient.structure_sets
    assert header.num_rois == 16 and set(header.series_uids) == {series.series_uid} and not patient.skipped
    stack = stack_slices(series)
    assert stack.grid.size == (512, 512, 111) and stack.grid.spacing_mm == (0.977, 0.977, 3.0)
    np.testing.assert_allclose(stack.grid.origin_mm, (-250.112, -250.112, -133.4))


def test_the_ibsi_phantom_is_the_image_that_the_ibsi_published():
    """204 × 201 pixels: rows and columns cannot be mistaken for each other; the NIfTI file was made by others."""
    ct = read_ct(stack_of("ibsi1_lung_phantom/dicom"))
    (path,) = [path for path in real("ibsi1_lung_phantom").rglob("*.nii.gz") if "mask" not in path.name]
    published = sitk.DICOMOrient(sitk.ReadImage(str(path)), "LPS")
    assert ct.GetSize() == published.GetSize() == (204, 201, 60)
    np.testing.assert_allclose(ct.GetSpacing(), published.GetSpacing(), rtol=1e-5)
    np.testing.assert_allclose(ct.GetOrigin(), published.GetOrigin(), atol=1e-3)
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(ct), sitk.GetArrayViewFromImage(published))


def test_totalsegmentators_jpeg_2000_lies_on_the_grid_of_its_label():
    patient = patient_of("totalsegmentator_example/example_ct_dicom")
    assert "told apart by its FrameOfReferenceUID" in patient.notes[0]
    grid = stack_slices(patient.series[0]).grid
    label = sitk.ReadImage(str(real("totalsegmentator_example") / "example_ct_dicom_label.nii.gz"))
    label = sitk.DICOMOrient(label, "LPS")
    assert label.GetSize() == grid.size
    np.testing.assert_allclose(label.GetSpacing(), grid.spacing_mm)
    np.testing.assert_allclose(label.GetOrigin(), grid.origin_mm, atol=1e-3)


def test_oblique_pixels_of_unequal_sides_lie_where_the_file_says():
    patient = next(
        patient for patient in scan_export(real("rtstruct_only/rt-utils")).patients if len(patient.series[0].slices) == 4
    )
    stack = stack_slices(patient.series[0])
    assert stack.grid.size == (100, 50, 3)
    np.testing.assert_allclose(stack.grid.spacing_mm, (2.5, 3.5, 4.5), rtol=1e-6)
    assert any("1 exact duplicates dropped" in note for note in stack.notes)
    ct = read_ct(stack)
    assert ct.GetPixelID() == sitk.sitkFloat32  # slope 0.001
    row, column = np.array([0.9541666, -0.2080757, 0.2151061]), np.array([0.2785886, 0.880128, -0.3843997])
    expected_mm = [122.0159697, -428.1596334, 38.0798058] + 2.5 * 99 * row + 3.5 * 49 * column
    np.testing.assert_allclose(ct.TransformIndexToPhysicalPoint((99, 49, 2)), expected_mm, atol=1e-3)


def test_one_ct_image_beside_a_structure_set_is_no_volume():
    series = [one for patient in scan_export(real("rtstruct_only")).patients for one in patient.series]
    (alone,) = [one for one in series if len(one.slices) == 1]
    with pytest.raises(DicomError, match="a single slice"):
        stack_slices(alone)
