"""Weighted means of tensors, and of rows that not every site trained."""

from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from src.learning.row_average import average, average_rows

NUM_STRUCTURES = 3
float32 = st.floats(-1e6, 1e6, width=32)
tensors = arrays.arrays(np.float32, (NUM_STRUCTURES, 2), elements=float32)
counts = arrays.arrays(np.float64, (NUM_STRUCTURES,), elements=st.integers(0, 50).map(float))
sites = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=5, unique=True)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), names=sites)
def test_the_order_of_sites_changes_no_bit(data, names):
    values = {site: data.draw(tensors) for site in names}
    cases_SC = {site: data.draw(counts) for site in names}
    previous = data.draw(tensors)
    shuffled = data.draw(st.permutations(names))
    forth = average_rows(values, cases_SC, previous)
    back = average_rows({site: values[site] for site in shuffled}, cases_SC, previous)
    assert forth.tobytes() == back.tobytes()


def test_the_order_of_sites_changes_no_bit_where_float64_loses_the_small_ones():
    """1e20 + 1 - 1e20 is 0 or 1, as the order goes."""
    values = {"a": np.float32([1e20]), "b": np.float32([1]), "c": np.float32([-1e20])}
    found = {
        average({site: values[site] for site in order}, dict.fromkeys("abc", 1.0)).tobytes() for order in permutations("abc")
    }
    assert len(found) == 1


@settings(deadline=None, max_examples=60)
@given(data=st.data(), names=sites)
def test_a_row_nobody_trained_keeps_its_bits_and_the_others_are_the_weighted_mean(data, names):
    values = {site: data.draw(tensors) for site in names}
    cases_SC = {site: data.draw(counts) for site in names}
    previous = data.draw(arrays.arrays(np.float32, (NUM_STRUCTURES, 2), elements=st.floats(width=32)))
    found = average_rows(values, cases_SC, previous)
    for channel in range(NUM_STRUCTURES):
        weights = np.array([cases_SC[site][channel] for site in names])
        if weights.sum() == 0:
            assert found[channel].tobytes() == previous[channel].tobytes()
        else:
            rows = np.stack([values[site][channel] for site in names]).astype(np.float64)
            np.testing.assert_allclose(found[channel], np.average(rows, axis=0, weights=weights), rtol=1e-6, atol=1e-1)


@given(tensor=tensors, weights=st.lists(st.integers(1, 1000), min_size=1, max_size=6))
def test_equal_networks_average_to_the_same_bits(tensor, weights):
    names = [f"site{index}" for index in range(len(weights))]
    found = average(dict.fromkeys(names, tensor), {name: float(w) for name, w in zip(names, weights, strict=True)})
    np.testing.assert_array_equal(found, tensor)
