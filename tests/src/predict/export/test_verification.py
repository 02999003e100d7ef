"""What differs is counted, and what differs too much is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import ExportError
from src.predict.export.verification import Agreement, check_drawn, verify

# Eight voxels, a bit each.
MASKS = st.integers(0, 255).map(lambda bits: np.unpackbits(np.uint8(bits)).astype(bool).reshape(2, 2, 2))


@given(MASKS, MASKS)
def test_dice_and_count_follow_from_the_sets(expected, found):
    agreement = Agreement.of(expected, found)
    assert agreement.voxels == expected.sum()
    assert agreement.differing_voxels == (expected ^ found).sum()
    total = expected.sum() + found.sum()
    assert agreement.dice == pytest.approx(2 * (expected & found).sum() / total if total else 1)


def masks(differing: int) -> tuple[dict, dict]:
    expected = np.zeros((20, 20, 20), bool)
    expected[5:15, 5:15, 5:15] = True
    found = expected.copy()
    found.ravel()[:differing] = True
    return {"Brainstem": expected}, {"Brainstem": found}


@pytest.mark.parametrize(("every_voxel", "allowed"), [(True, 0), (False, 3)])
def test_a_voxel_more_than_may_differ_is_refused(every_voxel, allowed):
    compared = verify("openvino", *masks(allowed), every_voxel=every_voxel)
    assert compared["Brainstem"].differing_voxels == allowed
    with pytest.raises(ExportError, match=f"found {allowed + 1} of 1000"):
        verify("openvino", *masks(allowed + 1), every_voxel=every_voxel)


def test_a_ct_on_which_nothing_is_drawn_verifies_nothing():
    with pytest.raises(ExportError, match="--verify-on"):
        check_drawn({"Brainstem": np.zeros((2, 2, 2), bool)})
