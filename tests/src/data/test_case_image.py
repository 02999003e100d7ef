"""Masks in the type that datasets hold."""

import numpy as np
import pytest
import SimpleITK as sitk

from src.data.case_image import as_uint8, to_mask


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("values", [(0, 0), (0, 1), (1, 1), (0, 2), (0, 0.5), (-3, 0), (-1, 1), (0, 255)])
def test_a_mask_is_1_where_it_is_above_0_whatever_its_type(values, dtype):
    given_ZYX = np.resize(np.array(values).astype(dtype), (2, 3, 3))
    mask = as_uint8(sitk.GetImageFromArray(given_ZYX))
    assert mask.GetPixelID() == sitk.sitkUInt8
    assert np.array_equal(sitk.GetArrayFromImage(mask), given_ZYX > 0)


def test_a_mask_lies_on_the_grid_of_its_ct_and_in_its_own_memory():
    ct = sitk.Image([4, 3, 2], sitk.sitkInt16)
    ct.SetSpacing((1.0, 2.0, 3.0))
    ct.SetOrigin((-1.0, 5.0, 7.0))
    ct.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    inside_XYZ = np.zeros((4, 3, 2), bool)
    inside_XYZ[3, 1, 0] = True
    mask = to_mask(inside_XYZ.T, ct)
    inside_XYZ[:] = False
    assert mask[3, 1, 0] == 1 and sitk.GetArrayViewFromImage(mask).sum() == 1
    for of in (mask.GetSpacing, mask.GetOrigin, mask.GetDirection):
        assert of() == getattr(ct, of.__name__)()
