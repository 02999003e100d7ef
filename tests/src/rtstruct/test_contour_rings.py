"""The outline of a slice: what it encloses, where it runs, which way it turns."""

import numpy as np
import pytest
from hypothesis import given, settings

from data_prep.rasterise.polygon import fill
from src.rtstruct.contour_rings import NEAREST_CENTRE, trace_slice
from tests.src.rtstruct.drawing import slice_values


def filled(polygons, shape) -> np.ndarray:
    """(X, Y) bool by the even-odd rule over all rings."""
    inside_YX = np.zeros(shape[::-1], bool)
    for ring in (ring for polygon in polygons for ring in polygon):
        one = fill(ring, shape)
        inside_YX[one.box] ^= one.inside_YX
    return inside_YX.T


def signed_area(ring) -> float:
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


@settings(max_examples=60)
@given(slice_values())
def test_exactly_the_centres_above_zero_are_enclosed_and_none_lies_near_a_ring(values_XY):
    polygons = trace_slice(values_XY)
    assert (filled(polygons, values_XY.shape) == (values_XY > 0)).all()
    for ring in (ring for polygon in polygons for ring in polygon):
        assert len(ring) >= 4
        assert np.abs(ring - np.rint(ring)).max(axis=1).min() >= NEAREST_CENTRE - 1e-12
        assert (ring >= -0.5).all() and (ring <= np.array(values_XY.shape) - 0.5).all()
    assert all(signed_area(outer) > 0 > max(map(signed_area, holes), default=-1) for outer, *holes in polygons)


def test_the_ring_crosses_where_the_line_through_two_values_is_zero():
    values_XY = np.full((5, 5), -3.0)
    values_XY[2, 2] = 1.0
    ((ring,),) = trace_slice(values_XY)
    assert sorted(map(tuple, ring.round(9).tolist())) == [(1.75, 2.0), (2.0, 1.75), (2.0, 2.25), (2.25, 2.0)]


def test_a_circle_is_as_large_as_it_should_be_below_the_pixel():
    x, y = np.ogrid[:41, :41]
    ((ring,),) = trace_slice(12.3 - np.hypot(x - 20.2, y - 19.7))
    assert signed_area(ring) == pytest.approx(np.pi * 12.3**2, rel=0.004)
    assert np.abs(np.hypot(*(ring - (20.2, 19.7)).T) - 12.3).max() < NEAREST_CENTRE


def test_an_area_that_fills_the_slice_ends_half_a_pixel_beyond_it():
    ((ring,),) = trace_slice(np.ones((4, 3)))
    assert ring.min(axis=0).tolist() == [-0.5, -0.5]
    assert ring.max(axis=0).tolist() == [3.5, 2.5]


def test_an_island_in_a_hole_is_an_area_of_its_own():
    mask = np.ones((9, 9))
    mask[2:7, 2:7] = -1
    mask[4, 4] = 1
    assert sorted(map(len, trace_slice(mask))) == [1, 2]


def test_nothing_inside_has_no_outline():
    assert trace_slice(np.zeros((3, 3))) == []
