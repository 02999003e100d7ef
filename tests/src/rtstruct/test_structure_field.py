"""A structure's field: what is inside, where its box lies, how large it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from src.rtstruct.structure_field import StructureField

MASKS = arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=7))


@settings(max_examples=30)
@given(MASKS)
def test_a_mask_comes_back_whole_and_its_box_holds_one_voxel_more_where_the_grid_goes_on(mask_XYZ):
    field = StructureField.of_mask("Brain", mask_XYZ)
    assert (field.whole_mask_XYZ == mask_XYZ).all()
    assert field.is_empty == (not mask_XYZ.any())
    assert field.values_XYZ.dtype == np.float32
    for axis, (side, size) in enumerate(zip(field.box_XYZ, mask_XYZ.shape, strict=True)):
        at = np.flatnonzero(mask_XYZ.any(axis=tuple({0, 1, 2} - {axis})))
        assert (side.start, side.stop) == ((max(at[0] - 1, 0), min(at[-1] + 2, size)) if len(at) else (0, 0))


@settings(max_examples=20)
@given(arrays(np.float64, (5, 4, 3), elements=st.floats(-9, 9)))
def test_values_above_zero_are_inside_and_zero_itself_is_not(values_XYZ):
    field = StructureField.of_values("Brain", values_XYZ)
    assert (field.whole_mask_XYZ == (values_XYZ.astype(np.float32) > 0)).all()
    assert (field.values_XYZ == values_XYZ[field.box_XYZ].astype(np.float32)).all()


def test_volume_is_that_of_the_voxels_inside():
    mask_XYZ = np.zeros((9, 8, 7), bool)
    mask_XYZ[2:6, 3:5, 1:4] = True
    assert StructureField.of_mask("Brain", mask_XYZ).volume_cm3((1.0, 2.0, 5.0)) == pytest.approx(24 * 10 / 1000)


def test_an_empty_structure_has_a_box_of_size_zero_and_no_volume():
    field = StructureField.of_mask("Brain", np.zeros((4, 4, 4)))
    assert field.values_XYZ.size == 0 and field.is_empty
    assert field.volume_cm3((1, 1, 1)) == 0.0
    assert field.whole_mask_XYZ.shape == (4, 4, 4)


@pytest.mark.parametrize("box", [(slice(0, 2), slice(0, 2), slice(0, 3)), (slice(3, 5), slice(0, 2), slice(0, 2))])
def test_a_box_of_another_shape_or_beyond_the_grid_is_refused(box):
    with pytest.raises(ValueError, match="expected"):
        StructureField("Brain", np.ones((2, 2, 2), np.float32), box, (4, 4, 4))
