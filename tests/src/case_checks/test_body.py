"""The body is found without couch and mask, with the air within; contours beside it are named."""

import numpy as np
import pytest
import SimpleITK as sitk

from src.case_checks.body import check_outside, find_body, outside_share
from src.case_checks.mask_facts import mask_facts
from tests.src.case_checks.patient import ball, body_ct, image, organ


def full_mask(ct: sitk.Image) -> np.ndarray:
    """The body on every voxel of the CT."""
    return find_body(ct).box(mask_facts(image(np.ones(ct.GetSize()[::-1], np.uint8), ct.GetSpacing())))


def test_the_body_is_the_tissue_and_the_air_within():
    ct = body_ct()
    hollow = sitk.GetArrayFromImage(ct)
    hollow[:, 15:22, 20:25] = -1000
    assert np.array_equal(full_mask(ct), sitk.GetArrayFromImage(ct) > -400)
    assert np.array_equal(full_mask(image(hollow)), full_mask(ct))


def test_a_couch_and_a_thin_shell_do_not_belong_to_it():
    hu = sitk.GetArrayFromImage(body_ct())
    hu[:, 37, 4:44] = 200  # a couch top, one voxel thin
    hu[:, 20, 44:48] = 200  # a strap that leaves the skin
    found, expected = full_mask(image(hu)), full_mask(body_ct())
    assert not found[:, 37].any()
    assert not found[:, :, 45:].any()
    assert np.count_nonzero(found != expected) <= len(hu)  # where the strap leaves the skin, one voxel a slice


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_fine_pixels_give_the_same_body(factor):
    ct = body_ct()
    fine_ZYX = sitk.GetArrayFromImage(ct).repeat(factor, axis=1).repeat(factor, axis=2)
    fine = image(fine_ZYX, (6.0 / factor, 6.0 / factor, 5.0))
    assert max(find_body(fine).inside_ZYX.shape) <= 240 / 4 * 1.3 * 1.5
    difference = full_mask(fine) != (fine_ZYX > -400)
    assert difference.mean() < 0.02


def test_a_ct_of_air_has_no_body():
    assert find_body(image(np.full((4, 9, 9), -1000, np.int16))) is None


@pytest.mark.parametrize(("moved_mm", "expected"), [(0, 0), (20, 0), (60, 1), (75, 1)])
def test_a_gland_that_is_moved_out_of_the_body(moved_mm, expected):
    masks = {"Parotid_L": mask_facts(organ("Parotid_L", moved_mm=(moved_mm, 0, 0)))}
    found = [finding.what for finding in check_outside("case_1", find_body(body_ct()), masks)]
    assert ["more than 15% of Parotid_L lies outside the body" in what for what in found] == [True] * expected


def test_the_share_outside():
    body = find_body(body_ct())
    assert outside_share(body, mask_facts(ball(20, (0, 0, 0)))) == 0
    assert outside_share(body, mask_facts(ball(20, (135, 100, 0)))) == 1
    assert 0.3 < outside_share(body, mask_facts(ball(200, (120, 0, 0)))) < 0.7
    assert outside_share(body, mask_facts(image(np.zeros((30, 40, 48), np.uint8)))) == 0
