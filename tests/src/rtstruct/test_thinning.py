"""Fewer points: how far the ones left out lie off, and what is never touched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.rtstruct.thinning import FEWEST_POINTS, thin_rings


def circle(points: int, radius: float = 10.0, wobble: float = 0.0, seed: int = 0) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    around = radius + wobble * np.random.default_rng(seed).normal(size=points)
    return np.stack([around * np.cos(angle), around * np.sin(angle)], axis=1)


def farthest(points: np.ndarray, ring: np.ndarray) -> float:
    """Largest distance of a point from a closed ring, edge by edge."""
    steps = np.roll(ring, -1, axis=0) - ring
    offsets = points[:, None] - ring[None]
    share = np.clip((offsets * steps).sum(axis=2) / (steps**2).sum(axis=1), 0, 1)
    return float(np.linalg.norm(offsets - share[..., None] * steps, axis=2).min(axis=1).max())


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(3, 90), st.integers(0, 9)), min_size=1, max_size=4),
    st.sampled_from([0.0, 0.01, 0.1]),
    st.sampled_from([0.001, 0.02, 0.5]),
)
def test_every_point_left_out_lies_within_the_tolerance_and_the_others_are_as_they_were(sizes, wobble, tolerance):
    rings = [circle(points, wobble=wobble, seed=seed) for points, seed in sizes]
    thinned = thin_rings(rings, tolerance)
    assert len(thinned) == len(rings)
    for before, after in zip(rings, thinned, strict=True):
        place = [int(np.flatnonzero((before == point).all(axis=1))[0]) for point in after]
        assert place == sorted(set(place))
        assert len(after) >= min(len(before), FEWEST_POINTS // 2)
        assert farthest(before, after) <= tolerance * (1 + 1e-9)


def test_a_straight_side_keeps_its_ends_and_little_more():
    side = np.arange(100.0)
    square = np.concatenate(
        [
            np.stack([side, 0 * side], axis=1),
            np.stack([0 * side + 100, side], axis=1),
            np.stack([100 - side, 0 * side + 100], axis=1),
            np.stack([0 * side, 100 - side], axis=1),
        ]
    )
    (thinned,) = thin_rings([square], 0.01)
    assert farthest(square, thinned) < 1e-9
    assert {(0, 0), (100, 0), (100, 100), (0, 100)} <= set(map(tuple, thinned.tolist()))
    assert len(thinned) < 12


def test_points_that_say_something_stay():
    zigzag = circle(40) * np.where(np.arange(40) % 2, 1.0, 0.8)[:, None]
    (thinned,) = thin_rings([zigzag], 0.02)
    assert (thinned == zigzag).all()


def test_no_rings_stay_no_rings():
    assert thin_rings([], 0.02) == []


@pytest.mark.parametrize("points", range(3, FEWEST_POINTS))
def test_a_small_ring_is_left_as_it_is(points):
    ring = circle(points)
    assert (thin_rings([ring], 100.0)[0] == ring).all()
