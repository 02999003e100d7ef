"""Contours of one slice together: holes, islands, seams, copies."""

import numpy as np
import pytest

from data_prep.rasterise.slice_mask import combine
from src.errors import DicomError
from tests.data_prep.rasterise.drawn import box, ring

SIZE = (40, 32)


def square(x0, y0, x1, y1) -> np.ndarray:
    """Covers pixels x0 to x1 - 1 and y0 to y1 - 1."""
    return box(x0 - 0.5, y0 - 0.5, x1 - 0.5, y1 - 0.5, 0)[:, :2]


def drawn(*outlines, pixel_mm=(1.0, 1.0)):
    return combine(outlines, SIZE, pixel_mm)


def pixels(*squares) -> np.ndarray:
    """Squares put over each other in turn, odd ones drawn and even ones cut out."""
    inside_YX = np.zeros(SIZE[::-1], bool)
    for number, (x0, y0, x1, y1) in enumerate(squares):
        inside_YX[y0:y1, x0:x1] = number % 2 == 0
    return inside_YX


OUTER, HOLE, ISLAND = (2, 2, 30, 28), (6, 6, 24, 22), (10, 10, 14, 14)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_nested_contours_alternate_whatever_their_order_and_direction(order, backwards):
    outlines = [square(*OUTER), square(*HOLE)[:: -1 if backwards else 1], square(*ISLAND)]
    inside_YX, facts = drawn(*(outlines[at] for at in order))
    assert (inside_YX == pixels(OUTER, HOLE, ISLAND)).all()
    assert facts.area_pixels == pytest.approx(28 * 26 - 18 * 16 + 16)
    assert (facts.copies, facts.cut, facts.disputed_pixels, facts.seam_pixels) == (0, 0, 0, 0)


@pytest.mark.parametrize("radii", [(12, 7, 3), (3, 7, 12), (7, 3, 12)])
def test_area_is_that_of_the_polygons_and_not_of_the_pixels(radii):
    outlines = [ring((18, 15, 0), radius, 200)[:, :2] for radius in radii]
    inside_YX, facts = drawn(*outlines)
    disc = np.sin(2 * np.pi / 200) * 100
    assert facts.area_pixels == pytest.approx(disc * (12**2 - 7**2 + 3**2), rel=1e-9)
    assert facts.area_pixels != inside_YX.sum()


def test_a_ring_is_the_same_by_hole_and_by_keyhole():
    outer, inner = ring((18, 15, 0), 12)[:, :2], ring((18, 15, 0), 7)[:, :2]
    keyhole = np.concatenate([outer, outer[:1], inner[:1], inner[::-1]])
    (by_hole_YX, hole), (by_keyhole_YX, facts) = drawn(outer, inner), drawn(keyhole)
    assert (by_hole_YX == by_keyhole_YX).all()
    assert facts.area_pixels == pytest.approx(hole.area_pixels)
    assert facts.disputed_pixels == 0


def test_a_thin_wall_stays_a_wall():
    outer, inner = ring((18, 15, 0), 13)[:, :2], ring((18, 15, 0), 12)[:, :2]
    inside_YX, facts = drawn(outer, inner)
    y, x = np.indices(inside_YX.shape)
    distance = np.hypot(x - 18, y - 15)
    assert not inside_YX[distance < 11.9].any()
    assert inside_YX[(distance > 12.01) & (distance < 12.9)].all()
    assert facts.copies == 0


@pytest.mark.parametrize("copies", [1, 2, 3, 24])
def test_copies_neither_erase_a_contour_nor_its_hole(copies):
    generator = np.random.default_rng(copies)
    outer, inner = ring((18, 15, 0), 12)[:, :2] + 0.013, ring((18, 15, 0), 7)[:, :2] + 0.013
    again = [outline + generator.uniform(-0.01, 0.01, outline.shape) for outline in (outer, inner) for _ in range(copies)]
    alone_YX, alone = drawn(outer, inner)
    inside_YX, facts = drawn(outer, inner, *again)
    assert (inside_YX == alone_YX).all()
    assert facts.copies == 2 * copies
    assert facts.area_pixels == pytest.approx(alone.area_pixels)


def test_the_limit_for_copies_is_in_millimetres_also_where_pixels_are_not_square():
    outline = ring((18, 15, 0), 8)[:, :2]
    moved = np.add(outline, (0.3, 0))
    assert drawn(outline, moved, pixel_mm=(0.5, 2.0))[1].copies == 1
    assert drawn(outline, moved, pixel_mm=(2.0, 0.5))[1].copies == 0


def test_strokes_that_share_a_seam_are_joined_and_the_seam_is_counted():
    inside_YX, facts = drawn(square(2, 2, 14, 20), square(13, 2, 30, 20))
    assert (inside_YX == pixels((2, 2, 30, 20))).all()
    assert facts.seam_pixels == 18
    assert facts.area_pixels == 28 * 18


def test_contours_that_say_so_are_exclusive_however_they_overlap():
    outlines = square(2, 2, 14, 20), square(10, 2, 30, 20), square(16, 5, 20, 9)
    inside_YX, facts = combine(outlines, SIZE, (1.0, 1.0), exclusive=True)
    expected_YX = pixels((2, 2, 30, 20), (10, 2, 14, 20))
    expected_YX[5:9, 16:20] = False
    assert (inside_YX == expected_YX).all()
    assert facts.seam_pixels == 0
    assert facts.area_pixels == pytest.approx(expected_YX.sum())
    again_YX, again = combine([*outlines, outlines[0][::-1]], SIZE, (1.0, 1.0), exclusive=True)
    assert (again_YX == expected_YX).all()
    assert again.copies == 1


def test_two_holes_that_overlap_make_one_hole():
    inside_YX, _ = drawn(square(*OUTER), square(6, 6, 14, 14), square(12, 8, 20, 20))
    expected_YX = pixels(OUTER)
    expected_YX[6:14, 6:14] = False
    expected_YX[8:20, 12:20] = False
    assert (inside_YX == expected_YX).all()


def test_a_hole_that_touches_the_edge_is_still_a_hole():
    inside_YX, facts = drawn(square(2, 2, 30, 28), square(10, 10, 31, 14))
    assert not inside_YX[10:14, 10:30].any()
    assert facts.seam_pixels == 0


def test_neighbours_that_share_an_edge_neither_overlap_nor_leave_a_gap():
    inside_YX, facts = drawn(square(2, 2, 14, 20) + 0.5, square(14, 2, 30, 20) + 0.5)
    assert (inside_YX == pixels((2, 2, 30, 20))).all()
    assert facts.seam_pixels == 0


def test_a_contour_without_any_pixel_centre_is_counted_in_the_area_alone():
    inside_YX, facts = drawn(square(2, 2, 4, 4), ring((20.5, 20.5, 0), 0.3)[:, :2])
    assert inside_YX.sum() == 4
    assert 4.2 < facts.area_pixels < 4.3


def test_noise_is_refused_before_it_costs_hours():
    specks = [square(x, y, x + 1, y + 1) for x in range(0, 40) for y in range(0, 32)]
    with pytest.raises(DicomError, match="found 1280 contours: this is noise"):
        drawn(*specks)
    assert drawn(*specks[::2])[0].sum() == 640
    heap = [square(2, 2, 20 + number % 10, 12 + number // 10) + number / 500 for number in range(120)]
    with pytest.raises(DicomError, match="found 7140 pairs of overlapping ones: this is noise"):
        drawn(*heap)
    zigzag = np.stack([np.arange(40_000) * 1e-3, np.arange(40_000) % 2 * 30.0], axis=1)
    with pytest.raises(DicomError, match="found outlines that cross 1239970 rows of pixels: this is noise"):
        drawn(zigzag)
