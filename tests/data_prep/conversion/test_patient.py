"""One patient: what becomes of each ROI, and for which reason a patient is refused."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from data_prep.conversion.outcome import CaseOutcome
from data_prep.conversion.patient import PatientTask, convert_patient
from data_prep.conversion.redactors import redactor_of_everybody
from src.data.case_files import partial_folder
from src.dicom.export import scan_export
from src.pseudonyms.private_files import private_folder
from tests.small_export import SmallPatient, add_roi, write_ct, write_export, write_rtstruct

CASE = "north_1"


@pytest.fixture
def convert(tmp_path):
    """Converts the only patient of an export; gives the outcome and the masks that were written."""

    def call(folder, anatomy="liver", **settings) -> tuple[CaseOutcome, dict[str, sitk.Image]]:
        export = scan_export(folder)
        (patient,) = export.patients
        private_folder(tmp_path / "private")
        task = PatientTask(
            case=CASE,
            patient=patient,
            anatomy=anatomy,
            everybody=redactor_of_everybody(export),
            dataset_path=tmp_path / "out",
            private_folder=tmp_path / "private",
            **{"names": {}, "allow_frame_mismatch": False} | settings,
        )
        outcome = CaseOutcome.from_json(convert_patient(task))
        written = partial_folder(tmp_path / "out", CASE)
        files = [*written.glob("structures/*"), *written.glob("ct.nii.gz")]
        return outcome, {path.name.removesuffix(".nii.gz"): sitk.ReadImage(str(path)) for path in files}

    return call


def with_rois(**more) -> SmallPatient:
    patient = SmallPatient()
    rois = {"Spinal cord": patient.cylinder((12, 10), 8, 2, 7), "Lung L": patient.cylinder((17, 10), 6, 2, 7)}
    return replace(patient, rois=rois | more)


def ends(outcome: CaseOutcome) -> dict[str, tuple]:
    return {roi.native: (roi.structure, roi.decision) for roi in outcome.rois}


def test_a_patient_is_converted_with_every_mapped_roi_on_the_grid_of_the_ct(convert, tmp_path):
    patient = replace(with_rois(), direction=np.array([[1.0, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]))
    patient = replace(
        patient, rois={"Spinal cord": patient.cylinder((12, 6), 5, 2, 7), "Heart": patient.cylinder((12, 12), 8, 2, 7)}
    )
    outcome, images = convert(write_export(tmp_path / "in", patient))
    assert outcome.status == "converted", outcome.refusals
    assert set(images) == {"ct", "SpinalCord", "Heart"}
    for image in images.values():
        assert image.GetSize() == patient.size == outcome.size
        np.testing.assert_allclose(image.GetSpacing(), patient.spacing_mm, atol=1e-4)
        np.testing.assert_allclose(image.GetOrigin(), patient.origin_mm, atol=1e-3)
        np.testing.assert_allclose(np.reshape(image.GetDirection(), (3, 3)), patient.direction, atol=1e-4)
    assert (sitk.GetArrayFromImage(images["ct"]) == patient.hounsfield_ZYX()).all()
    mask_ZYX = sitk.GetArrayFromImage(images["Heart"])
    assert set(np.unique(mask_ZYX)) == {0, 1}
    assert list(np.flatnonzero(mask_ZYX.any((1, 2)))) == [2, 3, 4, 5, 6, 7]
    volume_cm3 = mask_ZYX.sum() * np.prod(patient.spacing_mm) / 1000
    assert outcome.rois[1].volume_cm3 == pytest.approx(volume_cm3, abs=1e-4)
    assert volume_cm3 == pytest.approx(6 * 3 * np.pi * 64 / 1000, rel=0.1)
    assert outcome.picture_png_base64
    assert outcome.found == (
        "CT series_1: 10 slices of 24 × 20, 2 × 2 × 3 mm",
        "RTSTRUCT file_0011: 2 ROIs, not approved",
    )


def test_what_becomes_of_each_kind_of_roi(convert, tmp_path):
    patient = with_rois(
        **{
            "PTV 60": SmallPatient().cylinder((12, 10), 5, 2, 7),
            "Schnurzpiep": SmallPatient().cylinder((12, 10), 5, 2, 7),
            "Heart": [],
            "Parotid_L": SmallPatient().cylinder((12, 10), 5, 2, 7),
            "Esophagus": [SmallPatient().circle((12.5, 10.5), 0.4, 4)],
            "Liver": [SmallPatient().point_mm([(2, 2, 30), (9, 2, 30), (9, 9, 30)])],
        }
    )

    def add_points(dataset):
        add_roi(dataset, patient, "Kidney_L", [patient.point_mm([(3, 3, 3)])], kind="POINT")

    folder = write_export(tmp_path / "in", patient, change_rtstruct=add_points)
    outcome, images = convert(folder)
    assert ends(outcome) == {
        "Spinal cord": ("SpinalCord", "converted"),
        "Lung L": ("Lung_L", "converted"),
        "PTV 60": (None, "left out"),
        "Schnurzpiep": (None, "undecided"),
        "Heart": (None, "left out"),
        "Parotid_L": (None, "left out"),
        "Esophagus": (None, "refused"),
        "Liver": (None, "refused"),
        "Kidney_L": (None, "left out"),
    }
    assert set(images) == {"ct", "SpinalCord", "Lung_L"}  # no mask is empty: that would mean "looked for, not present"
    warnings = "\n".join(outcome.warnings)
    assert "no mask of Esophagus" in warnings
    assert "no mask of Liver" in warnings
    assert "ROIs left out because nobody knows their names: 1" in warnings
    assert "Schnurzpiep" not in warnings


@pytest.mark.parametrize(("kind", "shared"), [("CLOSED_PLANAR", 0), ("CLOSEDPLANAR_XOR", 18)])
def test_what_exclusive_contours_share_is_outside(convert, tmp_path, kind, shared):
    patient = with_rois()
    corners = [[(4, 4), (12, 4), (12, 12), (4, 12)], [(9, 6), (17, 6), (17, 14), (9, 14)]]
    squares = [patient.point_mm([(x - 0.5, y - 0.5, z) for x, y in one]) for one in corners for z in (4, 5)]

    def add(dataset):
        add_roi(dataset, patient, "Heart", squares, kind=kind)

    _, images = convert(write_export(tmp_path / "in", patient, change_rtstruct=add))
    mask_ZYX = sitk.GetArrayFromImage(images["Heart"])
    assert mask_ZYX.sum() == 2 * (64 + 64 - 18 - shared)


def test_names_csv_decides(convert, tmp_path):
    patient = with_rois(Schnurzpiep=SmallPatient().cylinder((12, 10), 5, 2, 7))
    names = {"schnurzpiep": "Heart", "lungl": None}
    outcome, images = convert(write_export(tmp_path / "in", patient), names=names)
    assert ends(outcome)["Schnurzpiep"] == ("Heart", "converted")
    assert ends(outcome)["Lung L"] == (None, "left out")
    assert set(images) == {"ct", "SpinalCord", "Heart"}


def test_two_contours_of_one_organ_are_not_guessed_between_and_an_empty_one_does_not_count(convert, tmp_path):
    circles = SmallPatient().cylinder((12, 10), 5, 2, 7)
    outcome, images = convert(write_export(tmp_path / "in", with_rois(**{"Lt Lung": circles, "SpinalCord": []})))
    assert ends(outcome)["Lung L"] == ends(outcome)["Lt Lung"] == (None, "undecided")
    assert ends(outcome)["Spinal cord"] == ("SpinalCord", "converted")
    assert set(images) == {"ct", "SpinalCord"}


def test_a_damaged_contour_costs_its_roi_alone(convert, tmp_path):
    def damage(dataset):
        dataset.ROIContourSequence[1].ContourSequence[2].ContourData = ["1", "2"]

    outcome, images = convert(write_export(tmp_path / "in", with_rois(), change_rtstruct=damage))
    assert ends(outcome) == {"Spinal cord": ("SpinalCord", "converted"), "Lung L": (None, "refused")}
    assert "its contours are incomplete" in outcome.rois[1].why
    assert set(images) == {"ct", "SpinalCord"}


def _only_ct(folder):
    write_ct(folder, with_rois())


def _only_rtstruct(folder):
    write_rtstruct(folder / "RS", with_rois())


def _nothing_mapped(folder):
    write_export(folder, replace(with_rois(), rois={"PTV": SmallPatient().cylinder((12, 10), 5, 2, 7)}))


def _missing_slice(folder):
    write_rtstruct(folder / "RS", with_rois())
    write_ct(folder, with_rois(), slices=[0, 1, 2, 4, 5, 6, 7, 8, 9])


def _missing_slice_without_rtstruct(folder):
    write_ct(folder, with_rois(), slices=[0, 1, 2, 4, 5, 6, 7, 8, 9])


def _another_frame(folder):
    def change(dataset):
        for roi in dataset.StructureSetROISequence:
            roi.ReferencedFrameOfReferenceUID = "1.2.3.4"
        dataset.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = "1.2.3.4"

    write_export(folder, with_rois(), change_rtstruct=change)


@pytest.mark.parametrize(
    ("make", "reasons"),
    [
        (_only_ct, ["expected an RTSTRUCT of this patient, found none"]),
        (_only_rtstruct, ["expected a CT series of this patient, found none"]),
        (_nothing_mapped, ["expected an ROI that becomes a mask, found none"]),
        (_missing_slice, ["series_1"]),
        (_missing_slice_without_rtstruct, ["expected an RTSTRUCT", "series_1"]),
        (_another_frame, ["expected the frame of reference of series_1, found another"]),
    ],
)
def test_a_patient_that_cannot_be_converted_is_refused_with_the_reason(convert, tmp_path, make, reasons):
    make(tmp_path / "in")
    outcome, images = convert(tmp_path / "in")
    assert outcome.status == "refused"
    assert len(outcome.refusals) == len(reasons)
    for reason, refusal in zip(reasons, outcome.refusals, strict=True):
        assert reason in refusal
    assert images == {}
    assert outcome.found
    assert (outcome.size, outcome.spacing_mm, outcome.picture_png_base64) == (None, None, None)


def test_another_frame_of_reference_is_converted_when_the_user_says_so(convert, tmp_path):
    _another_frame(tmp_path / "in")
    outcome, _ = convert(tmp_path / "in", allow_frame_mismatch=True)
    assert outcome.status == "converted"
    assert any("--allow-frame-mismatch" in warning for warning in outcome.warnings)


def test_voxels_that_cannot_be_hu_refuse_the_case(convert, tmp_path):
    def change(dataset):
        dataset.RescaleSlope = 40

    outcome, images = convert(write_export(tmp_path / "in", with_rois(), change_ct=change))
    assert outcome.status == "refused"
    assert outcome.refusals
    assert images == {}
    assert all(roi.structure is None for roi in outcome.rois)


def test_the_second_rtstruct_of_a_patient_is_noted(convert, tmp_path):
    folder = write_export(tmp_path / "in", with_rois())

    def change(dataset):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.10.1234.1.99"

    write_rtstruct(folder / "second", replace(with_rois(), rois={"Lung L": with_rois().rois["Lung L"]}), change=change)
    outcome, images = convert(folder)
    assert set(images) == {"ct", "SpinalCord", "Lung_L"}
    assert any("another RTSTRUCT, file_" in warning for warning in outcome.warnings)
