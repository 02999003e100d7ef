"""A copy is told from a thin wall."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.rasterise.duplicates import is_copy, without_copies
from tests.data_prep.rasterise.drawn import box, ring


def circle(radius_mm, points=90, centre=(100.0, 80.0)) -> np.ndarray:
    return ring((*centre, 0), radius_mm, points)[:, :2]


def overlap(inner_mm, outer_mm) -> float:
    """Intersection over union of two concentric circles."""
    return (inner_mm / outer_mm) ** 2


@settings(max_examples=40, deadline=None)
@given(st.floats(4, 120), st.integers(0, 2**32 - 1))
def test_contours_written_again_with_other_last_digits_are_copies(radius_mm, seed):
    outline = circle(radius_mm)
    noise = np.random.default_rng(seed).uniform(-0.05, 0.05, outline.shape)
    assert is_copy(outline, outline + noise)


def test_start_direction_rounding_and_a_point_more_make_no_difference():
    outline = circle(40)
    for other in (
        np.roll(outline, 17, axis=0),
        outline[::-1],
        outline.round(1),
        np.insert(outline, 5, outline[4:6].mean(axis=0), axis=0),
    ):
        assert is_copy(outline, other)
    assert is_copy(outline, np.delete(circle(40, 400), 7, axis=0))


@settings(max_examples=40, deadline=None)
@given(st.floats(20, 200), st.floats(0.02, 3))
def test_walls_are_no_copies_however_thin(radius_mm, wall_mm):
    outer, inner = circle(radius_mm), circle(radius_mm - wall_mm)
    assert not is_copy(outer, inner)
    assert not is_copy(inner, outer)


def test_overlap_alone_would_take_skin_for_a_copy():
    assert overlap(99, 100) > 0.9
    assert without_copies([circle(100), circle(99)]) == [0, 1]


def test_a_dent_beyond_the_limit_is_no_copy_though_all_else_is_the_same():
    outline, dented = circle(40, 400), circle(40, 400)
    dented[10:14] += 0.9 * (np.array([100, 80]) - dented[10:14]) / 40
    assert not is_copy(outline, dented)


def test_a_contour_and_itself_with_a_keyhole_are_no_copies_though_one_lies_along_the_other():
    outline, hole = circle(40), circle(15)
    keyhole = np.concatenate([outline, outline[:1], hole[:1], hole[::-1]])
    assert not is_copy(outline, keyhole)
    assert not is_copy(keyhole, outline)


def test_the_same_points_in_another_order_are_no_copy():
    square = box(0, 0, 30, 30, 0)[:, :2]
    assert not is_copy(square, square[[0, 2, 1, 3]])


def test_of_copies_the_first_is_kept():
    first, other = circle(30), circle(10, centre=(200, 80))
    assert without_copies([first, other, first.round(1), other + 0.03, first]) == [0, 1]


def test_outlines_too_long_to_sample_finely_still_end_quickly():
    zigzag = np.stack([np.arange(15_000) % 2 * 500.0, np.arange(15_000) * 0.01], axis=1)
    assert is_copy(zigzag, zigzag + 0.01)
    assert not is_copy(zigzag, circle(250, centre=(250, 200)))


@pytest.mark.parametrize("count", [1, 2, 25])
def test_many_copies_leave_one(count):
    assert without_copies([circle(30) + 0.004 * number for number in range(count)]) == [0]
