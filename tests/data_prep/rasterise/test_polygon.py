"""Which pixels a closed outline covers: each centre once, whoever shares an edge with whom."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path
from scipy.spatial import Delaunay

from data_prep.rasterise.polygon import area_pixels, fill

SIZE = (24, 20)


def image(points, size=SIZE) -> np.ndarray:
    filled = fill(np.asarray(points, float), size)
    whole_YX = np.zeros(size[::-1], bool)
    whole_YX[filled.box] = filled.inside_YX
    assert filled.pixels == whole_YX.sum()
    return whole_YX


@st.composite
def stars(draw) -> np.ndarray:
    """Outlines around a middle that do not cross themselves, partly beyond the image."""
    radii = np.array(draw(st.lists(st.floats(0.3, 9), min_size=3, max_size=30)))
    angles = 2 * np.pi * np.arange(len(radii)) / len(radii)
    middle = draw(st.tuples(st.floats(0, 24), st.floats(0, 20)))
    return np.array(middle) + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_left_and_upper_edges_through_centres_belong_to_it_and_right_and_lower_ones_do_not():
    expected_YX = np.zeros(SIZE[::-1], bool)
    expected_YX[3:7, 2:5] = True
    assert (image([(2, 3), (5, 3), (5, 7), (2, 7)]) == expected_YX).all()
    assert (image([(1.5, 2.5), (4.5, 2.5), (4.5, 6.5), (1.5, 6.5)]) == expected_YX).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8 * 23), st.integers(0, 8 * 19)), max_size=40))
def test_a_partition_covers_every_pixel_once(eighths):
    corners = [(-4, -4), (27 * 8, -4), (27 * 8, 22 * 8), (-4, 22 * 8)]
    points = np.array([*corners, *eighths]) / 8
    covered_YX = sum(image(points[triangle]).astype(int) for triangle in Delaunay(points).simplices)
    assert (covered_YX == 1).all()


@settings(max_examples=100, deadline=None)
@given(stars())
def test_it_agrees_with_another_implementation_away_from_edges(points):
    y, x = np.indices(SIZE[::-1])
    centres = np.stack([x.ravel(), y.ravel()], axis=1)
    inner, outer = (Path([*points, points[0]], closed=True).contains_points(centres, radius=r) for r in (1e-3, -1e-3))
    ours = image(points).ravel()
    certain = inner == outer
    assert certain.mean() > 0.9
    assert (ours == inner)[certain].all()


@settings(max_examples=60, deadline=None)
@given(stars(), st.integers(0, 29), st.booleans())
def test_neither_direction_nor_start_nor_a_closing_point_matters(points, start, backwards):
    written = np.roll(points, start, axis=0)[:: -1 if backwards else 1]
    assert (image(written) == image(points)).all()
    assert (image([*written, written[0]]) == image(points)).all()


@settings(max_examples=60, deadline=None)
@given(stars(), st.integers(-9, 9), st.integers(-9, 9))
def test_moving_by_whole_pixels_moves_the_pixels(points, right, down):
    wide_YX = image(points + 20, (64, 60))
    moved_YX = image(np.rint((points + 20) * 2**17) / 2**17 + (right, down), (64, 60))
    assert (moved_YX == np.roll(wide_YX, (down, right), axis=(0, 1))).all()


@settings(max_examples=40, deadline=None)
@given(stars())
def test_what_lies_beyond_the_image_is_cut_and_said(points):
    filled = fill(points, SIZE)
    low, high = points.min(axis=0), points.max(axis=0)
    assert filled.is_cut == bool((low <= -1).any() or (high > SIZE).any())
    wide_YX = image(points + 12, (48, 44))
    assert (image(points) == wide_YX[12:32, 12:36]).all()


def test_outlines_beside_the_image_cover_nothing():
    for shift in ((-100, 0), (100, 0), (0, -100), (0, 100), (-8000, -8000)):
        filled = fill(np.array([(2.0, 3), (5, 3), (5, 7)]) + shift, SIZE)
        assert (filled.pixels, filled.is_cut) == (0, True)


def test_edges_as_long_as_allowed_are_exact():
    # A pixel to the left of the diagonal through all pixel centres, 8191 pixels in every direction.
    triangle = np.array([(-8191.0, -8191), (8191, 8191), (-8191, 8191)])
    y, x = np.indices(SIZE[::-1])
    assert (image(triangle) == (x < y)).all()


def test_a_keyhole_leaves_its_hole_free_and_a_loop_run_twice_is_disputed():
    outer, inner = [(1, 1), (11, 1), (11, 11), (1, 11), (1, 1)], [(4, 4), (4, 8), (8, 8), (8, 4), (4, 4)]
    keyhole, twice = fill(np.array(outer + inner, float), SIZE), fill(np.array(outer + inner[::-1], float), SIZE)
    assert (keyhole.pixels, keyhole.disputed_pixels) == (100 - 16, 0)
    assert (twice.pixels, twice.disputed_pixels) == (100 - 16, 16)


def test_a_figure_of_eight_is_both_its_loops():
    filled = fill(np.array([(1.0, 1), (11, 11), (11, 1), (1, 11)]), SIZE)
    assert filled.disputed_pixels == 0
    assert filled.pixels == pytest.approx(50, abs=5)


def test_an_outline_of_very_many_points_is_filled():
    angle = np.linspace(0, 2 * np.pi, 400_000, endpoint=False)
    circle = np.stack([10 + 8.1 * np.cos(angle), 9 + 8.1 * np.sin(angle)], axis=1)
    y, x = np.indices(SIZE[::-1])
    assert (image(circle) == (np.hypot(x - 10, y - 9) < 8.1)).all()


@settings(max_examples=30, deadline=None)
@given(st.floats(-4000, 4000), st.floats(0.1, 50), st.floats(0.1, 50))
def test_area_is_that_of_a_rectangle_wherever_it_lies(corner, width, height):
    points = corner + np.array([(0, 0), (width, 0), (width, height), (0, height)])
    assert area_pixels(points) == pytest.approx(width * height, rel=1e-8)
    assert area_pixels(points[::-1]) == pytest.approx(width * height, rel=1e-8)
