"""Points land where the grid's affine says, and contours that leave their slice are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from data_prep.rasterise.plane import place, to_index
from src.dicom.objects import Contour
from src.errors import DicomError
from tests.data_prep.rasterise.drawn import grids, make_grid, make_roi, ring


@settings(max_examples=50, deadline=None)
@given(grids(), st.lists(st.tuples(*[st.floats(-50, 50)] * 3), min_size=1, max_size=5))
def test_index_is_the_inverse_of_the_grid(grid, index):
    points_mm = grid.origin_mm + (np.array(index) * grid.spacing_mm) @ grid.direction.T
    np.testing.assert_allclose(to_index(points_mm, grid), index, atol=1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, 1e5])
def test_points_that_are_no_place_near_the_ct_are_refused(value):
    with pytest.raises(DicomError, match="no number or more than 8192 voxels away"):
        to_index(np.array([[0, 0, 0], [0, value, 0]]), make_grid())


def test_contours_across_the_slices_are_refused():
    grid = make_grid()
    sagittal = ring((15, 15, 15), 6)[:, [2, 0, 1]]
    with pytest.raises(DicomError, match=r"3 mm apart, found one whose points lie up to 6\.0 mm off its middle"):
        place(make_roi(grid, [sagittal]).contours, grid)


@settings(max_examples=30, deadline=None)
@given(st.floats(-4, 4), st.floats(-4, 4))
def test_planes_are_told_apart_under_a_slight_tilt_that_all_share(about_x, about_y):
    grid = make_grid()
    drawn = [ring((x, 14, z), 4) for z in (9, 12) for x in (8, 28)]
    turn = Rotation.from_euler("xy", (about_x, about_y), degrees=True).as_matrix()
    outlines = place([Contour(points_mm=grid.origin_mm + (points - 15) @ turn.T + 15) for points in drawn], grid)
    planes = [outline.plane_z for outline in outlines]
    assert planes[0] == pytest.approx(planes[1], abs=0.01)
    assert planes[2] == pytest.approx(planes[3], abs=0.01)
    assert planes[2] - planes[0] == pytest.approx(1, abs=0.02)


def test_a_flat_contour_has_no_tilt():
    outline = place(make_roi(make_grid(), [ring((15, 15, 7.5), 4)]).contours, make_grid())[0]
    assert outline.tilt == pytest.approx(0, abs=1e-9)
    assert outline.middle_z == pytest.approx(2.5) and outline.plane_z == pytest.approx(2.5)
