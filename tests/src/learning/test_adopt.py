"""Taking over a peer's model: all of it, but for the rows that it has not trained."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from src.learning.adopt import adopt

HEAD = ("head.weight", "head.bias")
SHAPES = {"backbone": (2, 3), "head.weight": (3, 2, 1), "head.bias": (3,)}
models = st.fixed_dictionaries(
    {name: arrays.arrays(np.float32, shape, elements=st.floats(-9, 9, width=32)) for name, shape in SHAPES.items()}
)
cases = arrays.arrays(np.float64, (3,), elements=st.sampled_from([0.0, 0.5, 4.0, 20.0]))


@settings(deadline=None, max_examples=30)
@given(own=models, peer=models, own_rows_C=cases, peer_rows_C=cases)
def test_all_of_the_peer_but_for_rows_that_it_has_not_trained(own, peer, own_rows_C, peer_rows_C):
    tensors, rows_C = adopt(own, own_rows_C, peer, peer_rows_C, HEAD)
    assert tensors["backbone"].tobytes() == peer["backbone"].tobytes()
    for channel in range(3):
        source = peer if peer_rows_C[channel] > 0 else own
        assert all(tensors[name][channel].tobytes() == source[name][channel].tobytes() for name in HEAD)
    # A row that anybody has trained never ends as one that nobody has.
    assert ((rows_C > 0) == ((own_rows_C > 0) | (peer_rows_C > 0))).all()
    assert rows_C.tolist() == [theirs or ours for ours, theirs in zip(own_rows_C, peer_rows_C, strict=True)]


@settings(deadline=None, max_examples=30)
@given(own=models, peer=models, own_rows_C=cases, peer_rows_C=cases)
def test_it_shares_no_memory_with_either(own, peer, own_rows_C, peer_rows_C):
    kept = [{name: values.copy() for name, values in model.items()} for model in (own, peer)]
    tensors, rows_C = adopt(own, own_rows_C, peer, peer_rows_C, HEAD)
    for values in (*tensors.values(), rows_C):
        values += 1
    for model, before in zip((own, peer), kept, strict=True):
        assert all(np.array_equal(model[name], before[name]) for name in model)


def test_a_chain_hands_on_what_any_site_before_has_trained():
    """Three sites that contour one structure each; the model that went through all knows all three."""
    zeros = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    arriving, rows_C = zeros, np.zeros(3)
    for site in range(3):
        tensors, rows_C = adopt(zeros, np.eye(3)[site] * 5, arriving, rows_C, HEAD)
        tensors["head.bias"][site] = site + 1  # what its training does
        arriving = tensors
    assert arriving["head.bias"].tolist() == [1, 2, 3] and rows_C.tolist() == [5, 5, 5]
