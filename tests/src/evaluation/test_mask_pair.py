"""Two masks are cut to the box around both without a change of what is measured; what cannot be compared is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import MetricInputError
from src.evaluation.mask_pair import pair_masks
from tests.src.evaluation.mask_shapes import small_masks, small_pairs

UNIT_MM = (1.0, 1.0, 1.0)


@given(small_masks(), small_masks())
def test_no_voxel_is_lost_and_the_box_is_tight(pred, truth):
    pair = pair_masks(pred, truth, UNIT_MM)
    assert (pair.pred_voxels, pair.truth_voxels) == (pred.sum(), truth.sum())
    both = pair.pred_XYZ | pair.truth_XYZ
    assert (both.sum(), (pair.pred_XYZ & pair.truth_XYZ).sum()) == ((pred | truth).sum(), (pred & truth).sum())
    for axis in range(3):
        layers = np.moveaxis(both, axis, 0)
        assert len(layers) == 0 or (layers[0].any() and layers[-1].any())


@given(small_pairs(), st.permutations(range(3)), st.booleans())
def test_the_order_in_memory_does_not_matter(pair, axes, fortran):
    stored = [np.array(mask.transpose(axes), order="F" if fortran else "C") for mask in pair]
    views = [mask.transpose(np.argsort(axes)) for mask in stored]
    found, expected = pair_masks(*views, UNIT_MM), pair_masks(*pair, UNIT_MM)
    assert np.array_equal(found.pred_XYZ, expected.pred_XYZ) and np.array_equal(found.truth_XYZ, expected.truth_XYZ)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, bool])
def test_zeros_and_ones_of_any_integer_type_are_masks(dtype):
    mask = np.zeros((3, 3, 3), dtype)
    mask[1, 1, 1:] = 1
    assert pair_masks(mask, mask.astype(bool), UNIT_MM).pred_voxels == 2


def test_the_masks_given_are_not_changed():
    mask = np.ones((3, 3, 3), np.uint8)
    mask.setflags(write=False)
    assert pair_masks(mask, mask, UNIT_MM).truth_XYZ.all()


@pytest.mark.parametrize(
    ("pred", "says"),
    [
        (np.zeros((2, 2, 3), bool), r"found \(2, 2, 3\) and \(2, 2, 2\)"),
        (np.zeros((2, 2), bool), "three axes"),
        (None, "three axes"),
        (np.zeros((1, 2, 2, 2), bool), "three axes"),
        (np.full((2, 2, 2), 0.7), "float64"),
        (np.full((2, 2, 2), 255, np.uint8), "from 255 to 255"),
        (np.full((2, 2, 2), -1, np.int8), "from -1 to -1"),
        (np.full((2, 2, 2), "1"), "decide each voxel"),
    ],
)
def test_what_is_no_mask_of_the_same_grid_is_refused(pred, says):
    with pytest.raises(MetricInputError, match=says):
        pair_masks(pred, np.zeros((2, 2, 2), bool), UNIT_MM)


NO_NUMBERS = [1.0, None, "abc", (1.0, 1.0), (1.0, 1.0, 0.0), (1.0, -1.0, 1.0), (1.0, np.nan, 1.0), (np.inf, 1.0, 1.0)]
NOT_MM = [(0.00098, 0.00098, 0.0025), (512, 512, 100)]


@pytest.mark.parametrize("spacing", [*NO_NUMBERS, *NOT_MM])
def test_a_spacing_that_no_scan_has_is_refused(spacing):
    mask = np.ones((2, 2, 2), bool)
    with pytest.raises(MetricInputError, match="spacing of three numbers"):
        pair_masks(mask, mask, spacing)
