"""The working grid and the way back to the CT's own."""

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from src.data.preprocessing import (
    GridGeometry,
    Preprocessing,
    array_XYZ,
    mask_on_grid,
    on_grid,
    scale_hu,
    to_working_grid,
)
from src.errors import PlanSettingError
from src.evaluation.dice import dice
from tests.conftest import sphere_case

SETTINGS = Preprocessing(spacing_mm=(3.0, 3.0, 3.0), window_hu=(-200.0, 300.0), body_margin_mm=6.0)


@pytest.mark.parametrize("orientation", ["LPS", "RAS", "LAS", "PIR", "SAL"])
def test_orientation_of_the_file_does_not_matter(orientation):
    ct, masks = sphere_case(1)
    grid = to_working_grid(ct, SETTINGS)
    turned = to_working_grid(sitk.DICOMOrient(ct, orientation), SETTINGS)
    assert np.array_equal(array_XYZ(turned), array_XYZ(grid))
    mask = sitk.DICOMOrient(masks["Parotid_L"], orientation)
    assert np.array_equal(mask_on_grid(mask, turned), mask_on_grid(masks["Parotid_L"], grid))


def test_axes_point_right_front_and_head():
    ct, masks = sphere_case(1)
    grid = to_working_grid(ct, SETTINGS)
    left = np.argwhere(mask_on_grid(masks["Parotid_L"], grid)).mean(axis=0)
    right = np.argwhere(mask_on_grid(masks["Parotid_R"], grid)).mean(axis=0)
    brainstem = np.argwhere(mask_on_grid(masks["Brainstem"], grid)).mean(axis=0)
    assert right[0] > left[0]
    assert brainstem[2] > left[2]  # the sphere dataset's brainstem lies higher
    assert brainstem[1] < left[1]  # and further back


def test_the_body_is_kept_and_the_air_around_it_is_not():
    ct, _ = sphere_case(1)
    grid = to_working_grid(ct, SETTINGS)
    hu_XYZ = array_XYZ(grid)
    assert (hu_XYZ > -400).sum() * 27 == pytest.approx((array_XYZ(ct) > -400).sum() * 80, rel=0.1)
    assert hu_XYZ.shape[0] < 32 * 4 / 3
    air = sitk.Image(10, 10, 10, sitk.sitkInt16) - 1000
    assert to_working_grid(air, SETTINGS).GetSize() == (4, 4, 4)


def test_a_mask_survives_the_way_there_and_back():
    ct, masks = sphere_case(2)
    fine = Preprocessing(spacing_mm=(2.0, 2.0, 2.0), window_hu=(-200.0, 300.0), body_margin_mm=6.0)
    grid = to_working_grid(ct, fine)
    for mask in masks.values():
        there = mask_on_grid(mask, grid).astype(np.float32) * 2 - 1
        back = on_grid(there, GridGeometry.of(grid), GridGeometry.of(ct), outside=-1.0) > 0
        assert dice(back, array_XYZ(mask)) > 0.93


def test_the_window_is_scaled_to_plus_minus_one():
    hu = torch.tensor([-1000, -200, 50, 300, 3000], dtype=torch.int16)
    assert scale_hu(hu, (-200, 300)).tolist() == [-1, -1, 0, 1, 1]


@pytest.mark.parametrize(
    "change", [{"spacing_mm": (0.0, 1, 1)}, {"spacing_mm": (1.0, 1)}, {"window_hu": (300.0, -200)}, {"body_margin_mm": -1.0}]
)
def test_impossible_constants_are_refused_by_name(change):
    with pytest.raises(PlanSettingError, match=next(iter(change))):
        Preprocessing(**{**SETTINGS.__dict__, **change})
