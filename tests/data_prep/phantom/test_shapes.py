"""Implicit bodies have the size, the sign and the place that their numbers say."""

from math import inf, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.phantom.patient import Grid
from data_prep.phantom.shapes import Bands, Common, Ellipsoid, HalfSpace, Inset, Mirrored, Tube, Union, Without

GRID = Grid.covering((-30, -30, -30), (30, 30, 30), (1, 1, 1))
POINTS = GRID.points_mm()


def volume(shape, fields=None) -> int:
    return int((shape(POINTS, fields or {}) < 0).sum())


@settings(max_examples=15, deadline=None)
@given(st.tuples(*[st.floats(6, 20)] * 3), st.tuples(*[st.floats(-180, 180)] * 3))
def test_ellipsoid_has_its_volume_however_it_is_turned(radii_mm, tilt_deg):
    assert volume(Ellipsoid((0, 0, 0), radii_mm, tilt_deg)) == pytest.approx(4 / 3 * pi * np.prod(radii_mm), rel=0.05)


def test_ellipsoid_gives_millimetres_near_its_surface():
    sphere = Ellipsoid((0, 0, 0), (15, 15, 15))(POINTS, {})
    distance = np.sqrt(sum(np.square(axis) for axis in POINTS)) - 15
    near = np.abs(distance) < 4
    np.testing.assert_allclose(sphere[near], distance[near], atol=0.01)


def test_cylinder_and_tube_agree():
    cylinder = Ellipsoid((0, 0, 0), (8, 8, inf))(POINTS, {}) < 0
    tube = Tube(((0, 0, -100, 8), (0, 0, 100, 8)))(POINTS, {}) < 0
    assert (cylinder == tube).mean() > 0.999


def test_tilt_turns_x_towards_y():
    rod = Ellipsoid((0, 0, 0), (20, 3, 3), tilt_deg=(0, 0, 45))(POINTS, {}) < 0
    x, y, _ = POINTS
    assert (x[rod] * y[rod]).mean() > 20


def test_half_space_keeps_the_side_behind_its_normal():
    assert (POINTS[0][HalfSpace((5, 0, 0), (2, 0, 0))(POINTS, {}) < 0] < 5).all()


def test_bands_repeat():
    slices = (Bands((0, 0, 1), period_mm=10, thickness_mm=4)(POINTS, {}) < 0).any(axis=(0, 1))
    assert slices.sum() == 6 * 4


def test_inset_shrinks_and_grows_an_earlier_part():
    fields = {"ball": Ellipsoid((0, 0, 0), (15, 15, 15))(POINTS, {})}
    assert volume(Inset("ball", 3), fields) == pytest.approx(volume(Ellipsoid((0, 0, 0), (12, 12, 12))), rel=0.02)
    assert volume(Inset("ball", -3), fields) == pytest.approx(volume(Ellipsoid((0, 0, 0), (18, 18, 18))), rel=0.02)


def test_union_common_and_without_are_set_operations():
    left, right = Ellipsoid((-5, 0, 0), (12, 10, 10)), Ellipsoid((5, 0, 0), (12, 10, 10))
    first, second = (shape(POINTS, {}) < 0 for shape in (left, right))
    assert ((Union((left, right))(POINTS, {}) < 0) == (first | second)).all()
    assert ((Common((left, right))(POINTS, {}) < 0) == (first & second)).all()
    assert ((Without(left, (right,))(POINTS, {}) < 0) == (first & ~second)).mean() > 0.999


def test_blend_only_adds_at_the_seam():
    left, right = Ellipsoid((-12, 0, 0), (12, 12, 12)), Ellipsoid((12, 0, 0), (12, 12, 12))
    sharp, soft = (Union((left, right), blend_mm=blend)(POINTS, {}) < 0 for blend in (0, 10))
    added = soft & ~sharp
    assert (sharp & ~soft).sum() == 0
    assert added.any()
    assert np.abs(POINTS[0][added]).max() < 10


def test_mirror_changes_sides():
    mirrored = Mirrored(Ellipsoid((15, 4, 0), (6, 6, 6)))(POINTS, {}) < 0
    assert [round(float(axis[mirrored].mean())) for axis in POINTS] == [-15, 4, 0]
