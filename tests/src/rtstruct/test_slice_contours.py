"""Contours in the patient: there and back without a voxel's difference, on any grid."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from src.rtstruct.slice_contours import THINNING_MM, trace
from src.rtstruct.structure_field import StructureField
from tests.data_prep.rasterise.drawn import grids, make_grid
from tests.src.rtstruct.drawing import ball, mask_of, stack_on

VALUES = st.sampled_from([-9.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 9.0])


@settings(max_examples=25, deadline=None)
@given(grids(), arrays(np.float32, (9, 8, 3), elements=VALUES), st.booleans())
def test_any_field_comes_back_as_its_mask_voxel_for_voxel_on_any_grid(grid, values_XYZ, as_mask):
    values_XYZ[4, 4, 1] = 1.0
    grid = replace(grid, size=(9, 8, 3))
    field = StructureField.of_mask("Brain", values_XYZ > 0) if as_mask else StructureField.of_values("Brain", values_XYZ)
    contours = trace(field, stack_on(grid))
    assert (mask_of(contours, grid) == (values_XYZ > 0)).all()
    for contour in contours:
        assert len(contour.points_mm) >= 3
        steps = np.diff(contour.points_mm, axis=0, append=contour.points_mm[:1])
        assert np.abs(steps).max(axis=1).min() > 0
        normal = grid.direction[:, 2]
        height_mm = (contour.points_mm - grid.origin_mm) @ normal
        assert height_mm == pytest.approx(contour.z * grid.spacing_mm[2], abs=1e-3)


def test_a_contour_lies_on_its_slice_also_where_that_is_not_quite_at_its_place():
    stack = stack_on(make_grid(size=(20, 20, 4)))
    moved = replace(stack.slices[2], position_mm=stack.slices[2].position_mm + np.array([0, 0, 0.02]))
    stack = replace(stack, slices=(*stack.slices[:2], moved, stack.slices[3]))
    contours = trace(StructureField.of_values("Brain", ball((20, 20, 4), (10, 10, 2), 5)), stack)
    assert {contour.z: float(contour.points_mm[:, 2].mean().round(6)) for contour in contours}[2] == pytest.approx(106.02)


def test_points_are_as_many_as_the_shape_needs_and_the_outline_is_smooth():
    size = (80, 80, 3)
    stack = stack_on(make_grid(size=size, spacing_mm=(1.0, 1.0, 3.0)))
    field = ball(size, (40, 40, 1), 30.4)
    (contour,) = (one for one in trace(StructureField.of_values("Brain", field), stack) if one.z == 1)
    radius_mm = np.hypot(*((contour.points_mm - stack.grid.origin_mm)[:, :2] - 40).T)
    assert np.abs(radius_mm - 30.4).max() < 0.06
    # A chord that stays within the tolerance of this circle is 2.2 mm long: 86 of them, or twice as many where every second
    # point had to stay.
    assert np.pi * 30 / np.sqrt(2 * 30 * THINNING_MM) < len(contour.points_mm) < 180


def test_an_empty_structure_has_no_contours():
    assert trace(StructureField.of_mask("Brain", np.zeros((40, 32, 12))), stack_on(make_grid())) == []
