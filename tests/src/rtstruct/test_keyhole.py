"""Holes joined to what lies around them: one outline, which every filling rule reads alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data_prep.rasterise.polygon import area_pixels, fill
from src.rtstruct.contour_rings import trace_slice
from src.rtstruct.keyhole import join_holes


def outline(values_XY: np.ndarray) -> np.ndarray:
    (polygon,) = trace_slice(values_XY)
    return join_holes(polygon)


def filled(outline_xy, shape) -> tuple[np.ndarray, int]:
    """(X, Y) bool by the even-odd rule, and how many pixels the non-zero winding rule adds."""
    one, inside_YX = fill(outline_xy, shape), np.zeros(shape[::-1], bool)
    inside_YX[one.box] = one.inside_YX
    return inside_YX.T, one.disputed_pixels


@settings(max_examples=60)
@given(arrays(np.float32, st.tuples(st.integers(3, 14), st.integers(3, 14)), elements=st.sampled_from([-1.0, 0.3, 1.0, 4.0])))
def test_one_outline_with_any_holes_is_the_same_by_even_odd_and_by_winding(values_XY):
    values_XY = np.pad(values_XY, 1, constant_values=1)  # a frame around, so that what is outside of it are holes
    for polygon in trace_slice(values_XY):
        joined = join_holes(polygon)
        expected = np.zeros(values_XY.shape, bool)
        for ring in polygon:
            expected ^= filled(ring, values_XY.shape)[0]
        inside, disputed = filled(joined, values_XY.shape)
        assert (inside == expected).all()
        assert disputed == 0
        assert area_pixels(joined) == pytest.approx(
            sum((1, -1)[number > 0] * area_pixels(r) for number, r in enumerate(polygon))
        )


def test_without_holes_nothing_changes():
    ((ring,),) = trace_slice(np.ones((3, 3)))
    assert join_holes([ring]) is ring


def test_each_bridge_is_walked_both_ways_on_the_same_points():
    values_XY = np.ones((9, 9))
    values_XY[3:6, 3:6] = -1
    joined = outline(values_XY)
    edges = {(tuple(a), tuple(b)) for a, b in zip(joined.tolist(), np.roll(joined, -1, axis=0).tolist(), strict=True)}
    twice = {edge for edge in edges if edge[::-1] in edges}
    assert len(twice) == 2
    (y0, y1) = {point[1] for edge in twice for point in edge}, {5.25}
    assert y0 == y1  # between the rows of pixel centres


def test_a_hole_within_reach_of_another_is_joined_to_it_and_not_across_it():
    values_XY = np.ones((60, 7))
    values_XY[[20, 22, 24, 26], 3] = -1
    joined = outline(values_XY)
    longest = np.abs(np.diff(joined[:, 0])).max()
    assert longest < 20 + 0.5
    inside, disputed = filled(joined, values_XY.shape)
    assert (inside == (values_XY > 0)).all() and disputed == 0
