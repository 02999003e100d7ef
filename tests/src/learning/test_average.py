"""The mean of a site's model and its peers', and of rows that not all of them have trained."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from src.learning.average import average_with_peers

NUM_STRUCTURES = 3
SHAPES = {"backbone.weight": (2, 2), "head.weight": (NUM_STRUCTURES, 2), "head.bias": (NUM_STRUCTURES,)}
HEAD = ("head.weight", "head.bias")
finite = st.floats(-1e6, 1e6, width=32)
models = st.fixed_dictionaries({name: arrays.arrays(np.float32, shape, elements=finite) for name, shape in SHAPES.items()})
cases = arrays.arrays(np.float64, (NUM_STRUCTURES,), elements=st.one_of(st.just(0.0), st.floats(0.1, 1e4)))


@st.composite
def meetings(draw, most_peers: int = 4):
    """Our model and cases, and peers whose shares sum up to at most 1."""
    parts = draw(st.lists(st.integers(1, 20), max_size=most_peers))
    whole = sum(parts) + draw(st.integers(0, 20))
    peers = [(part / whole, draw(models), draw(cases)) for part in parts]
    return draw(models), draw(cases), peers


def bits(model: dict) -> dict:
    return {name: tensor.tobytes() for name, tensor in model.items()}


def full(value: float, head: list[float]) -> dict:
    head_C = np.array(head, np.float32)
    return {
        "backbone.weight": np.full((2, 2), value, np.float32),
        "head.weight": np.stack([head_C, head_C], axis=1),
        "head.bias": head_C,
    }


def test_hand_computed_values():
    own, peer = full(1, [1, 10, 7]), full(5, [3, 30, 99])
    mean, row_cases_C = average_with_peers(own, np.array([3.0, 0.0, 0.0]), [(0.25, peer, np.array([9.0, 4.0, 0.0]))])
    assert mean["backbone.weight"].tolist() == [[2, 2], [2, 2]]
    assert mean["head.bias"].tolist() == [2, 30, 7]  # (0.75·3·1 + 0.25·9·3) / (0.75·3 + 0.25·9); the peer's; ours
    assert mean["head.weight"].tolist() == [[2, 2], [30, 30], [7, 7]]
    assert row_cases_C.tolist() == [3, 4, 0]


@settings(deadline=None, max_examples=100)
@given(meeting=meetings())
def test_every_value_is_the_mean_over_those_with_a_say_in_it(meeting):
    own, own_cases_C, peers = meeting
    mean, _ = average_with_peers(own, own_cases_C, peers)
    shares = np.array([max(0.0, 1 - sum(share for share, _, _ in peers)), *(share for share, _, _ in peers)])
    shares[shares < 1e-9] = 0
    everyone = [own, *(tensors for _, tensors, _ in peers)]
    expected = np.average([model["backbone.weight"].astype(float) for model in everyone], axis=0, weights=shares)
    np.testing.assert_allclose(mean["backbone.weight"], expected, rtol=1e-6, atol=1e-6)
    cases_MC = np.stack([own_cases_C, *(rows for _, _, rows in peers)])
    for channel in range(NUM_STRUCTURES):
        weights = shares * cases_MC[:, channel]
        for name in HEAD:
            rows = [model[name][channel].astype(float) for model in everyone]
            row = np.average(rows, axis=0, weights=weights) if weights.sum() > 0 else own[name][channel]
            np.testing.assert_allclose(mean[name][channel], row, rtol=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(meeting=meetings(), data=st.data())
def test_the_order_of_peers_changes_no_bit(meeting, data):
    own, own_cases_C, peers = meeting
    shuffled = data.draw(st.permutations(peers))
    forth, forth_cases_C = average_with_peers(own, own_cases_C, peers)
    back, back_cases_C = average_with_peers(own, own_cases_C, shuffled)
    assert bits(forth) == bits(back)
    assert forth_cases_C.tobytes() == back_cases_C.tobytes()


def bits_in_any_order(own: dict, peers: list) -> set[bytes]:
    return {
        average_with_peers(own, np.full(3, 1e9), order)[0]["head.bias"].tobytes() for order in itertools.permutations(peers)
    }


def test_the_order_of_peers_changes_no_bit_where_float64_loses_the_small_ones():
    """1e20 + 1 - 1e20 is 0 or 1, as the order goes; so the law above would not hold by itself."""
    by_value = [(0.25, full(value, [value] * 3), np.full(3, 1e9)) for value in (1e20, 1.0, -1e20)]
    assert len(bits_in_any_order(full(0, [0] * 3), by_value)) == 1
    by_mass = [(0.25, full(1, [1] * 3), np.full(3, mass)) for mass in (1e9, 1e-9)]
    assert len(bits_in_any_order(full(-0.5, [-0.5] * 3), by_mass)) == 1


@settings(deadline=None, max_examples=60)
@given(model=models, own_cases_C=cases, peer_cases=st.lists(cases, max_size=3), zero=st.sampled_from([0.0, -0.0]))
def test_equal_models_give_the_same_model_bit_for_bit(model, own_cases_C, peer_cases, zero):
    for tensor in model.values():
        tensor.flat[0] = zero
    share = 1 / (len(peer_cases) + 1)
    mean, _ = average_with_peers(model, own_cases_C, [(share, model, rows_C) for rows_C in peer_cases])
    assert bits(mean) == bits(model)


@settings(deadline=None, max_examples=60)
@given(a=models, b=models, cases_C=arrays.arrays(np.float64, (NUM_STRUCTURES,), elements=st.floats(0.1, 1e4)))
def test_two_sites_with_equal_cases_keep_the_mean(a, b, cases_C):
    at_a, _ = average_with_peers(a, cases_C, [(0.5, b, cases_C)])
    at_b, _ = average_with_peers(b, cases_C, [(0.5, a, cases_C)])
    for name in SHAPES:
        kept = at_a[name].astype(float) + at_b[name]
        np.testing.assert_allclose(kept, a[name].astype(float) + b[name], rtol=1e-6, atol=1e-6)
        assert at_a[name].tobytes() == at_b[name].tobytes()


@settings(deadline=None, max_examples=60)
@given(meeting=meetings(), raw=arrays.arrays(np.float32, (2,), elements=st.floats(width=32)))
def test_a_row_nobody_trained_stays_ours_bit_for_bit_and_has_no_mass(meeting, raw):
    own, own_cases_C, peers = meeting
    own["head.weight"][1] = raw  # any float, NaN and -0.0 too
    for rows_C in (own_cases_C, *(rows_C for _, _, rows_C in peers)):
        rows_C[1] = 0
    mean, row_cases_C = average_with_peers(own, own_cases_C, peers)
    assert [mean[name][1].tobytes() for name in HEAD] == [own[name][1].tobytes() for name in HEAD]
    assert row_cases_C[1] == 0


@settings(deadline=None, max_examples=60)
@given(own=models, peer=models, share=st.floats(0.01, 1), mass=st.floats(5e-324, 1e9), zero=st.sampled_from([0.0, -0.0]))
def test_a_row_only_a_peer_has_is_the_peers_bit_for_bit(own, peer, share, mass, zero):
    peer["head.bias"][1] = zero
    own["head.bias"][1] = np.inf
    if share * mass == 0:  # a peer's mass that underflows is none
        mass = 1e-300
    mean, row_cases_C = average_with_peers(own, np.zeros(NUM_STRUCTURES), [(share, peer, np.array([0, mass, 0]))])
    assert [mean[name][1].tobytes() for name in HEAD] == [peer[name][1].tobytes() for name in HEAD]
    assert row_cases_C.tolist() == [0, mass, 0]


@settings(deadline=None, max_examples=60)
@given(own=models, peer=models, rows_C=cases)
def test_a_peer_with_the_whole_share_is_taken_over(own, peer, rows_C):
    mean, row_cases_C = average_with_peers(own, np.zeros(NUM_STRUCTURES), [(1.0, peer, rows_C + 1)])
    assert bits(mean) == bits(peer)
    np.testing.assert_array_equal(row_cases_C, rows_C + 1)


def test_what_rounding_leaves_of_our_share_is_none():
    peer = full(1, [1, 2, 3])
    mean, _ = average_with_peers(full(1e30, [1e30] * 3), np.ones(3), [(np.nextafter(1.0, 0.0), peer, np.ones(3))])
    assert bits(mean) == bits(peer)


@given(own=models, rows_C=cases)
def test_without_peers_all_stays_in_memory_of_its_own(own, rows_C):
    mean, row_cases_C = average_with_peers(own, rows_C, [])
    assert bits(mean) == bits(own)
    assert row_cases_C.tobytes() == rows_C.tobytes()
    assert not any(np.shares_memory(mean[name], own[name]) for name in own)


@settings(deadline=None, max_examples=60)
@given(meeting=meetings())
def test_the_mass_of_a_row_is_ours_or_lies_between_the_peers(meeting):
    own, own_cases_C, peers = meeting
    _, row_cases_C = average_with_peers(own, own_cases_C, peers)
    for channel, mass in enumerate(row_cases_C):
        theirs = [rows_C[channel] for _, _, rows_C in peers if rows_C[channel] > 0]
        if own_cases_C[channel] > 0 or not theirs:
            assert mass == own_cases_C[channel]
        else:
            assert min(theirs) * (1 - 1e-12) <= mass <= max(theirs)


def test_no_rounding_lifts_a_mass_over_the_highest_that_a_manifest_may_state():
    model, highest = full(0, [0] * 3), 1e9
    for num_peers in range(1, 40):
        peers = [(1 / (num_peers + 1), model, np.full(3, highest))] * num_peers
        assert average_with_peers(model, np.zeros(3), peers)[1].max() <= highest


def test_a_row_and_its_mass_travel_over_a_site_that_cannot_train_it():
    first = (full(0, [8, 0, 0]), np.array([10.0, 0, 0]))
    between = average_with_peers(full(0, [1, 0, 0]), np.zeros(3), [(0.5, *first)])
    last, row_cases_C = average_with_peers(full(0, [2, 0, 0]), np.array([5.0, 0, 0]), [(0.5, *between)])
    assert last["head.bias"][0] == pytest.approx((10 * 8 + 5 * 2) / 15)
    assert row_cases_C.tolist() == [5, 0, 0]


def test_shares_above_one_are_refused():
    model = full(0, [0] * 3)
    with pytest.raises(AssertionError, match="at most 1"):
        average_with_peers(model, np.ones(3), [(0.7, model, np.ones(3)), (0.7, model, np.ones(3))])
