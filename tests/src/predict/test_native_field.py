"""Interpolating a structure's box gives what interpolating the whole CT gives."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.preprocessing import GridGeometry, on_grid
from src.predict.native_field import native_field

spacings = st.tuples(*[st.floats(0.7, 6.0)] * 3)
sizes = st.tuples(*[st.integers(1, 14)] * 3)
origins = st.tuples(*[st.floats(-20, 20)] * 3)
RAS = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
TURNED = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
TILTED = (1.0, 0.0, 0.0, 0.0, 0.96, -0.28, 0.0, 0.28, 0.96)
LPS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
grids = st.builds(
    lambda size, spacing, origin, direction: GridGeometry(size=size, spacing=spacing, origin=origin, direction=direction),
    sizes,
    spacings,
    origins,
    st.sampled_from([RAS, TURNED, TILTED, LPS]),
)


@settings(max_examples=150, deadline=None)
@given(grid=grids, native=grids, seed=st.integers(0, 999), share=st.sampled_from([0.0, 0.02, 0.3, 1.0]))
def test_the_box_holds_what_the_whole_grid_has(grid, native, seed, share):
    generator = np.random.default_rng(seed)
    logits_XYZ = np.where(generator.random(grid.size) < share, 5.0, -5.0).astype(np.float32)
    logits_XYZ += generator.normal(0, 1, grid.size).astype(np.float32)
    whole_XYZ = on_grid(logits_XYZ, grid, native, outside=-10.0)
    field = native_field("Parotid_L", logits_XYZ, grid, native)
    clear_XYZ = np.abs(whole_XYZ) > 1e-3  # at its very edge a grid ends here or there by rounding
    assert np.array_equal(field.whole_mask_XYZ[clear_XYZ], (whole_XYZ > 0)[clear_XYZ])
    assert field.size_XYZ == native.size


def _plain(size, spacing, origin) -> GridGeometry:
    return GridGeometry(size=size, spacing=spacing, origin=origin, direction=LPS)


@pytest.mark.parametrize("native_mm", [(0.9, 0.9, 2.5), (3.0, 3.0, 5.0)])
def test_surface_is_the_same_to_the_last_neighbour(native_mm):
    """Contours pass between a voxel that is inside and its neighbour: both must have the whole grid's values."""
    grid = _plain((30, 28, 20), (2.0, 2.0, 3.0), (-31.0, -29.0, -30.0))
    x, y, z = np.ogrid[:30, :28, :20]
    logits_XYZ = (5 - np.sqrt((x - 12.3) ** 2 + (y - 14.1) ** 2 + (1.5 * (z - 9.2)) ** 2)).astype(np.float32)
    native = _plain(tuple(round(60 / step) for step in native_mm), native_mm, (-30.0, -30.0, -30.0))
    whole_XYZ = on_grid(logits_XYZ, grid, native, outside=-10.0)
    field = native_field("Parotid_L", logits_XYZ, grid, native)
    np.testing.assert_allclose(field.values_XYZ, whole_XYZ[field.box_XYZ], atol=1e-4)
    near_XYZ = sitk.GetArrayFromImage(
        sitk.BinaryDilate(sitk.GetImageFromArray((whole_XYZ > 0).astype(np.uint8)), [1, 1, 1], sitk.sitkBox)
    ).astype(bool)
    box_XYZ = np.zeros(native.size, bool)
    box_XYZ[field.box_XYZ] = True
    assert field.mask_XYZ.any() and not (near_XYZ & ~box_XYZ).any()
    assert field.values_XYZ.size < whole_XYZ.size / 2


def test_an_empty_structure_has_an_empty_box():
    grid = _plain((5, 5, 5), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    field = native_field("Parotid_L", np.full((5, 5, 5), -1.0, np.float32), grid, grid)
    assert field.is_empty and field.values_XYZ.size == 0


def test_a_structure_beside_the_ct_is_empty():
    grid = _plain((5, 5, 5), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    far = _plain((5, 5, 5), (2.0, 2.0, 2.0), (100.0, 0.0, 0.0))
    assert native_field("Parotid_L", np.ones((5, 5, 5), np.float32), grid, far).is_empty
