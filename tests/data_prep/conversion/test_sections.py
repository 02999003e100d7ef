"""A flat cut shows what lies there in millimetres, whatever way the grid lies."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.conversion.planes import AXIAL, CORONAL, SAGITTAL, box_mm, place_of
from data_prep.conversion.sections import COLUMNS, ROWS, cut, frame_through, outline

SIZE = (40, 36, 30)
angles = st.integers(-600, 600).map(lambda milliradians: milliradians / 1000)


def turned(array_ZYX: np.ndarray, angles_xyz=(0.0, 0.0, 0.0), spacing=(1.0, 1.5, 2.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(array_ZYX)
    turn = sitk.Euler3DTransform()
    turn.SetRotation(*angles_xyz)
    image.SetDirection(turn.GetMatrix())
    image.SetSpacing(spacing)
    image.SetOrigin((-33.0, 12.0, 150.0))
    return image


def whole(image: sitk.Image) -> tuple[np.ndarray, np.ndarray]:
    return box_mm(image, np.zeros(3), np.array(image.GetSize()) - 1)


def ball(centre_mm, radius_mm: float, like: sitk.Image) -> sitk.Image:
    coordinates = sitk.GetArrayFromImage(sitk.PhysicalPointSource(sitk.sitkVectorFloat64, *_grid(like)))
    inside = (((coordinates - centre_mm) ** 2).sum(axis=-1) < radius_mm**2).astype(np.uint8)
    mask = sitk.GetImageFromArray(inside)
    mask.CopyInformation(like)
    return mask


def _grid(image: sitk.Image):
    return image.GetSize(), image.GetOrigin(), image.GetSpacing(), image.GetDirection()


@pytest.mark.parametrize("normal", [AXIAL, CORONAL, SAGITTAL])
@settings(max_examples=15, deadline=None)
@given(st.tuples(angles, angles, angles))
def test_the_outline_of_a_ball_is_a_circle_around_its_centre(normal, angles_xyz):
    grid = turned(np.zeros(SIZE[::-1], np.uint8), angles_xyz)
    centre_mm = np.array(grid.TransformContinuousIndexToPhysicalPoint([20.0, 18.0, 15.0]))
    mask = ball(centre_mm, 12.0, grid)
    frame = frame_through(whole(grid), normal, centre_mm[normal], 0.5)
    (line,) = outline(mask, place_of(mask), frame)
    column, row = COLUMNS[normal], ROWS[normal]
    points_mm = np.stack(
        [frame.corner_mm[axis] + sign * line[:, n] * frame.pixel_mm for n, (axis, sign) in enumerate((column, row))], axis=1
    )
    expected = centre_mm[[column[0], row[0]]]
    assert (points_mm.max(axis=0) + points_mm.min(axis=0)) / 2 == pytest.approx(expected, abs=1.1)
    radius_mm = np.linalg.norm(points_mm - expected, axis=1)
    assert radius_mm.mean() == pytest.approx(12.0, abs=0.8)
    assert (line[0] == line[-1]).all(), "closed"


def test_a_cut_along_the_grid_gives_its_voxels():
    hu = np.random.default_rng(3).integers(-1000, 1000, SIZE[::-1], dtype=np.int16)
    ct = turned(hu, spacing=(1.0, 1.0, 1.0))
    z = 7
    frame = frame_through(whole(ct), AXIAL, 150.0 + z, 1.0)
    assert (cut(ct, frame, -1024) == hu[z]).all()
    coronal = cut(ct, frame_through(whole(ct), CORONAL, 12.0 + z, 1.0), -1024)
    assert (coronal == hu[::-1, z]).all(), "head above"
    sagittal = cut(ct, frame_through(whole(ct), SAGITTAL, -33.0 + z, 1.0), -1024)
    assert (sagittal == hu[::-1, :, z]).all(), "front on the left"


def test_outside_the_image_there_is_what_was_asked_for():
    ct = turned(np.zeros(SIZE[::-1], np.int16), spacing=(1.0, 1.0, 1.0))
    first, last = whole(ct)
    section = cut(ct, frame_through((first - 5, last + 5), AXIAL, 155.0, 1.0), -1024)
    assert (section[:5] == -1024).all() and (section[5:-5, 5:-5] == 0).all() and (section[:, -5:] == -1024).all()


def test_a_mask_up_to_the_border_has_a_closed_outline():
    mask = turned(np.ones(SIZE[::-1], np.uint8))
    frame = frame_through(whole(mask), AXIAL, 180.0, 0.5)
    (line,) = outline(mask, place_of(mask), frame)
    assert (line[0] == line[-1]).all()
    assert line.max(axis=0) == pytest.approx((frame.columns, frame.rows), abs=1.1)


def test_a_plane_beside_a_mask_has_no_outline():
    grid = turned(np.zeros(SIZE[::-1], np.uint8))
    mask = ball(grid.TransformContinuousIndexToPhysicalPoint([20.0, 18.0, 8.0]), 8.0, grid)
    assert outline(mask, place_of(mask), frame_through(whole(grid), AXIAL, 200.0, 0.5)) == []


def test_a_hole_has_an_outline_of_its_own():
    array_ZYX = np.zeros(SIZE[::-1], np.uint8)
    array_ZYX[:, 5:30, 5:30] = 1
    array_ZYX[:, 12:20, 12:20] = 0
    mask = turned(array_ZYX)
    assert len(outline(mask, place_of(mask), frame_through(whole(mask), AXIAL, 170.0, 0.5))) == 2
