"""One patient: orientation, the cut, what blanks the CT, and when a structure counts as contoured."""

import numpy as np
import pytest
import SimpleITK as sitk

from data_prep.openkbp.patient import read_patient
from src.errors import CaseError
from tests.data_prep.openkbp.public_files import GRID_SIZE, small_patient, write_mask, write_patient

LABEL_OF = {"Brainstem": 1, "SpinalCord": 2, "RightParotid": 3, "LeftParotid": 4, "Larynx": 6}


@pytest.fixture
def made():
    return small_patient()


def on_grid(block_ZYX: np.ndarray) -> np.ndarray:
    """The kept slices of a block of the grid, in its place on the grid."""
    return np.pad(block_ZYX[1:11], ((0, 0), (0, GRID_SIZE - 20), (0, GRID_SIZE - 24)))


def test_the_kept_slices_hold_the_ct_in_the_region_and_air_around_it(tmp_path, made):
    stored, region, structures = made
    write_patient(tmp_path / "pt_1", stored, region, structures)
    patient = read_patient("case_1", tmp_path / "pt_1", LABEL_OF)
    expected = np.where(on_grid(region), on_grid(stored) - 1000, -1000)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(patient.ct), expected)
    assert patient.ct.GetPixelID() == sitk.sitkInt16
    assert patient.ct.GetSpacing() == (3.906, 3.906, 2.5)
    assert patient.ct.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_the_greater_number_stays_where_structures_overlap(tmp_path, made):
    stored, region, structures = made
    write_patient(tmp_path / "pt_1", stored, region, structures)
    patient = read_patient("case_1", tmp_path / "pt_1", LABEL_OF)
    cord = on_grid(structures["SpinalCord"])
    brainstem = on_grid(structures["Brainstem"])
    assert (cord & brainstem).any()
    np.testing.assert_array_equal(patient.labels_ZYX == 2, cord)
    np.testing.assert_array_equal(patient.labels_ZYX == 1, brainstem & ~cord)
    assert patient.contoured == ("Brainstem", "SpinalCord", "RightParotid", "LeftParotid")


def test_a_ct_value_in_a_contour_outside_the_region_gives_nothing_away(tmp_path, made):
    stored, region, structures = made
    region[1:11, 9, 12] = False  # a column through the cord, which the CT goes on through
    write_patient(tmp_path / "pt_1", stored, region, structures)
    patient = read_patient("case_1", tmp_path / "pt_1", LABEL_OF)
    assert stored[2, 9, 12] > 0
    assert (sitk.GetArrayViewFromImage(patient.ct)[:, 9, 12] == -1000).all()
    assert not patient.labels_ZYX[:, 9, 12].any()


@pytest.mark.parametrize(("num_filled", "kept"), [(44, 11), (45, 12)])
def test_an_outer_slice_is_kept_from_a_fifth_of_the_fullest_one(tmp_path, made, num_filled, kept):
    stored, region, structures = made  # the fullest slice has 14 * 16 = 224 voxels, a fifth is 44.8
    region[11].ravel()[:] = False
    region[11].ravel()[100 : 100 + num_filled] = True
    region[0, 5, :] = region[0, 6, :] = True  # 48
    write_patient(tmp_path / "pt_1", stored, region, structures)
    assert read_patient("case_1", tmp_path / "pt_1", LABEL_OF).ct.GetSize()[2] == kept


def test_a_thin_slice_between_kept_ones_stays(tmp_path, made):
    stored, region, structures = made
    region[5] = False
    region[5, 8, 8] = True
    write_patient(tmp_path / "pt_1", stored, region, structures)
    assert read_patient("case_1", tmp_path / "pt_1", LABEL_OF).ct.GetSize()[2] == 10


@pytest.mark.parametrize(
    ("num_inside", "num_outside", "contoured"), [(19, 0, False), (20, 0, True), (20, 80, True), (20, 81, False), (0, 0, False)]
)
def test_a_structure_of_which_too_little_remains_is_not_contoured(tmp_path, made, num_inside, num_outside, contoured):
    stored, region, structures = made
    larynx = np.zeros_like(region)
    larynx[2:4][region[2:4].nonzero()] = np.arange(np.count_nonzero(region[2:4])) < num_inside
    larynx[0].ravel()[300 : 300 + num_outside] = True
    write_patient(tmp_path / "pt_1", stored, region, {**structures, "Larynx": larynx})
    patient = read_patient("case_1", tmp_path / "pt_1", LABEL_OF)
    assert ("Larynx" in patient.contoured) is contoured
    assert (6 in patient.labels_ZYX) is contoured


def test_an_empty_region_and_a_value_beyond_int16_are_refused(tmp_path, made):
    _, region, structures = made
    write_patient(tmp_path / "pt_1", np.where(region, 90_000, 0), region, structures)
    with pytest.raises(CaseError, match="int16"):
        read_patient("case_1", tmp_path / "pt_1", LABEL_OF)
    write_mask(tmp_path / "pt_1" / "possible_dose_mask.csv", np.array([], int))
    with pytest.raises(CaseError, match=r"expected voxels in possible_dose_mask\.csv"):
        read_patient("case_1", tmp_path / "pt_1", LABEL_OF)
