"""A CT is told apart from those a model was trained on, by figures that tell of no patient."""

import csv

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from src.data.preprocessing import GridGeometry, Preprocessing, array_XYZ, to_working_grid
from src.model.ct_fingerprint import MEASURES, compare_ct, make_ct_fingerprint, measure_ct
from tests.conftest import SHARED_DATA

HEAD_NECK = Preprocessing(spacing_mm=(4.0, 4.0, 3.0), window_hu=(-200, 300), body_margin_mm=12)
OPENKBP = SHARED_DATA / "openkbp_head_neck"
# As few training patients as may tell something.
PATIENTS = {"train": 5, "valid": 2}


def measured(ct: sitk.Image) -> dict[str, float]:
    return measure_ct(GridGeometry.of(ct), array_XYZ(to_working_grid(ct, HEAD_NECK)), HEAD_NECK.spacing_mm)


def box_ct(*, spacing_mm=(4.0, 4.0, 3.0), size=(40, 30, 20), hu=40) -> sitk.Image:
    """A water-like box of 20×15 pixels of 4 mm in air, in every slice."""
    hu_ZYX = np.full(size[::-1], -1000, np.int16)
    hu_ZYX[:, 5:20, 5:25] = hu
    ct = sitk.GetImageFromArray(hu_ZYX)
    ct.SetSpacing(spacing_mm)
    return ct


def fingerprint_of(case: dict[str, float], patients: int = 5) -> dict:
    return make_ct_fingerprint([case] * patients)


def test_a_box_has_the_measures_it_was_made_with():
    assert measured(box_ct()) == pytest.approx(
        {
            "pixel_mm": 4,
            "slice_distance_mm": 3,
            "body_length_mm": 60,
            "body_cross_section_cm2": 20 * 15 * 0.16,
            "body_hu_5": 40,
            "body_hu_50": 40,
            "body_hu_95": 40,
        }
    )


def test_hu_percentiles_are_those_of_the_body_alone():
    hu_XYZ = np.full((20, 20, 3), -1000, np.int16)
    hu_XYZ[:10] = np.random.default_rng(0).integers(-399, 3500, (10, 20, 3))
    found = measure_ct(GridGeometry.of(sitk.Image([20, 20, 3], sitk.sitkInt16)), hu_XYZ, (1, 1, 1))
    body = np.minimum(hu_XYZ[:10], 3071)
    for percent in (5, 50, 95):
        assert found[f"body_hu_{percent}"] == np.percentile(body, percent, method="inverted_cdf")


def test_pixels_and_slices_are_those_of_the_patient_however_the_ct_is_stored():
    stored = sitk.DICOMOrient(box_ct(spacing_mm=(1.0, 1.0, 5.0)), "SAL")
    assert stored.GetSpacing() == (5.0, 1.0, 1.0)
    found = measured(stored)
    assert (found["pixel_mm"], found["slice_distance_mm"]) == (1.0, 5.0)


@given(st.lists(st.floats(1, 400), min_size=0, max_size=4))
def test_fewer_than_five_patients_tell_nothing(values):
    told = make_ct_fingerprint([dict.fromkeys(MEASURES, value) for value in values])
    assert [told[name] for name in MEASURES] == [None] * len(MEASURES)
    assert told["training_cases"] == ("<5" if values else 0)


@given(st.lists(st.floats(100, 140), min_size=5, max_size=30))
def test_each_of_many_similar_cts_fits_them_all(values):
    told = make_ct_fingerprint([dict.fromkeys(MEASURES, value) for value in values])
    assert all(compare_ct(told, dict.fromkeys(MEASURES, value)) == [] for value in values)


def test_what_differs_is_said_with_what_was_found_and_expected():
    usual = measured(box_ct(size=(40, 30, 40)))
    assert compare_ct(fingerprint_of(usual), usual) == []
    thick = measured(box_ct(size=(40, 30, 17), spacing_mm=(4, 4, 7)))
    assert compare_ct(fingerprint_of(usual), thick) == ["its slices are 7 mm apart; the model was trained on 3 mm"]
    (sentence,) = compare_ct(fingerprint_of(usual | {"slice_distance_mm": 2.5}, 5), measured(box_ct(size=(40, 30, 13))))
    assert sentence == "it shows 39 mm of the body's length; the model was trained on 120 mm"


def test_hu_without_their_intercept_are_noticed():
    usual = measured(box_ct())
    shifted = measured(box_ct(hu=1064))
    assert "the median of the body is 1064 HU; the model was trained on 40 HU" in compare_ct(fingerprint_of(usual), shifted)


def test_where_nothing_can_be_compared_it_says_so():
    usual = measured(box_ct())
    for told in (None, make_ct_fingerprint([usual] * 4)):
        (sentence,) = compare_ct(told, usual)
        assert "is not known" in sentence
    (sentence,) = compare_ct(fingerprint_of(usual), measured(box_ct(hu=-1000)))
    assert "no body" in sentence


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason=f"the real files are not at {SHARED_DATA}")
def test_head_and_neck_patients_fit_head_and_neck_patients_and_an_abdomen_does_not():
    with (OPENKBP / "cases.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["site"] == "site_f"]
    train, valid = (
        [
            measured(sitk.ReadImage(str(OPENKBP / "ct" / f"{row['case']}.nii.gz")))
            for row in [row for row in rows if row["split"] == split][: PATIENTS[split]]
        ]
        for split in ("train", "valid")
    )
    told = make_ct_fingerprint(train)
    assert [compare_ct(told, case) for case in valid] == [[], []]
    abdomen = sitk.ReadImage(str(SHARED_DATA / "totalsegmentator_example" / "example_ct.nii.gz"))
    assert any("cross-sections" in sentence for sentence in compare_ct(told, measured(abdomen)))
