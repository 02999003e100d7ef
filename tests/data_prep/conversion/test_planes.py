"""The planes of a picture cross what there is to see, and run through voxels."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.conversion.planes import AXIAL, CORONAL, SAGITTAL, box_mm, choose_box, choose_planes, place_of, to_mm

SIZE_ZYX = (12, 16, 20)
indices = st.tuples(*(st.integers(1, size - 2) for size in SIZE_ZYX[::-1]))


def image_of(array_ZYX: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array_ZYX)
    image.SetSpacing((2.0, 3.0, 5.0))
    image.SetOrigin((-7.3, 11.1, -300.5))
    return image


def boxes(*around_xyz: tuple[int, int, int], half: int = 1) -> sitk.Image:
    array_ZYX = np.zeros(SIZE_ZYX, np.uint8)
    for x, y, z in around_xyz:
        array_ZYX[z - half : z + half + 1, y - half : y + half + 1, x - half : x + half + 1] = 1
    return image_of(array_ZYX)


CT = image_of(np.zeros(SIZE_ZYX, np.int16))


def planes_of(*masks: sitk.Image) -> dict[int, float]:
    places = {str(number): place_of(mask) for number, mask in enumerate(masks)}
    return choose_planes(CT, places, choose_box(CT, places))


@settings(max_examples=30, deadline=None)
@given(indices)
def test_one_structure_is_cut_through_its_middle(index):
    planes = planes_of(boxes(index))
    assert [planes[axis] for axis in (SAGITTAL, CORONAL, AXIAL)] == pytest.approx(to_mm(CT, index))


@settings(max_examples=30, deadline=None)
@given(st.lists(indices, min_size=1, max_size=5))
def test_planes_run_through_voxel_centres_within_the_box(centres):
    masks = [boxes(centre) for centre in centres]
    places = {str(number): place_of(mask) for number, mask in enumerate(masks)}
    first, last = choose_box(CT, places)
    planes = choose_planes(CT, places, (first, last))
    point = np.array([planes[axis] for axis in range(3)])
    index = (point - CT.GetOrigin()) / CT.GetSpacing()
    assert index == pytest.approx(np.rint(index), abs=1e-6)
    assert (first < point).all() and (point < last).all()


def test_a_small_structure_weighs_as_much_as_a_large_one():
    large = np.zeros(SIZE_ZYX, np.uint8)
    large[2:11] = 1
    assert planes_of(image_of(large), boxes((4, 5, 9)))[AXIAL] == pytest.approx(to_mm(CT, (0, 0, 9))[2])


def test_later_planes_look_for_what_the_axial_one_left_out():
    below = boxes((4, 12, 2))
    planes = planes_of(boxes((4, 4, 8)), boxes((12, 4, 8)), below)
    assert planes[AXIAL] == pytest.approx(to_mm(CT, (0, 0, 8))[2])
    assert planes[CORONAL] == pytest.approx(to_mm(CT, (0, 12, 0))[1])


def test_an_empty_mask_lies_nowhere():
    assert place_of(boxes()) is None


def test_place_is_the_box_of_the_voxels():
    place = place_of(boxes((4, 5, 6), half=0))
    assert place.points_mm == pytest.approx(to_mm(CT, np.array([[4, 5, 6]])))
    assert place.last_mm - place.first_mm == pytest.approx(CT.GetSpacing())


def test_without_a_mask_the_body_is_shown():
    hu = np.full((20, 400, 400), -1000, np.int16)
    hu[:, 200:300, 100:200] = 40
    ct = sitk.GetImageFromArray(hu)
    first, last = choose_box(ct, {})
    assert first[0] == pytest.approx(150 - 80, abs=3) and last[0] == pytest.approx(150 + 80, abs=3)
    assert (last - first)[2] == 20
    planes = choose_planes(ct, {}, (first, last))
    assert planes[SAGITTAL] == pytest.approx(150, abs=3) and planes[CORONAL] == pytest.approx(250, abs=3)


def test_a_ct_of_air_is_shown_whole():
    ct = image_of(np.full(SIZE_ZYX, -1000, np.int16))
    first, last = choose_box(ct, {})
    assert (first, last) == (
        pytest.approx(box_mm(ct, (0, 0, 0), (19, 15, 11))[0]),
        pytest.approx(box_mm(ct, (0, 0, 0), (19, 15, 11))[1]),
    )
