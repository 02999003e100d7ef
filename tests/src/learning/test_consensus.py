"""One model for all: the same bits wherever it is made, each row from those who contour it."""

import weakref
from dataclasses import replace
from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from src.exchange.learner import Standing
from src.learning.consensus import consensus
from tests.src.learning.small_peers import ALL, by_name, peer_model

SHAPES = {"backbone": (2, 2), "head.weight": (3, 2, 1), "head.bias": (3,)}
models = st.fixed_dictionaries(
    {name: arrays.arrays(np.float32, shape, elements=st.floats(-1e3, 1e3, width=32)) for name, shape in SHAPES.items()}
)
cases = st.tuples(*[st.sampled_from([0, 1, 7, 30])] * 3)
federations = st.lists(st.tuples(models, cases), min_size=1, max_size=4)


def final(site: str, tensors: dict, train_cases: tuple, row_cases: tuple = (0.0, 0.0, 0.0)):
    nothing = by_name(None, None, None)
    standing = Standing(
        train_cases=by_name(*train_cases), valid_cases=by_name(0, 0, 0), valid_dice=nothing, row_cases=by_name(*row_cases)
    )
    return peer_model(tensors, standing, site=site, final=True)


def full(value: float, rows: list[float]) -> dict[str, np.ndarray]:
    row_C = np.array(rows, np.float32)
    return {
        "backbone": np.full((2, 2), value, np.float32),
        "head.weight": np.stack([row_C, row_C], axis=1)[:, :, None],
        "head.bias": row_C,
    }


def test_hand_computed_values():
    tensors, cases_C = consensus([final("a", full(1, [1, 10, 4]), (6, 0, 0)), final("b", full(4, [4, 30, 8]), (2, 5, 0))], ALL)
    assert tensors["backbone"].tolist() == [[2.5, 2.5], [2.5, 2.5]]  # sites count alike
    assert tensors["head.bias"].tolist() == [1.75, 30, 6]  # (6·1 + 2·4) / 8; b alone; nobody: the plain mean
    assert tensors["head.weight"][:, 1, 0].tolist() == [1.75, 30, 6]
    assert cases_C.tolist() == [8, 5, 0] and all(values.dtype == np.float32 for values in tensors.values())


@settings(deadline=None, max_examples=30)
@given(federations)
def test_the_same_bits_in_whatever_order_the_finals_come(federation):
    finals = [final(f"site_{place}", tensors, counts) for place, (tensors, counts) in enumerate(federation)]
    found = set()
    for order in permutations(finals):
        tensors, cases_C = consensus(order, ALL)
        found.add((*(tensors[name].tobytes() for name in SHAPES), cases_C.tobytes()))
    assert len(found) == 1


@settings(deadline=None, max_examples=50)
@given(federations)
def test_each_row_is_the_mean_over_those_who_contour_it(federation):
    finals = [final(f"site_{place}", tensors, counts) for place, (tensors, counts) in enumerate(federation)]
    tensors, cases_C = consensus(finals, ALL)
    everyone = [model for model, _ in federation]
    cases_SC = np.array([counts for _, counts in federation], dtype=float)
    assert cases_C.tolist() == cases_SC.sum(axis=0).tolist()
    expected = np.mean([model["backbone"].astype(float) for model in everyone], axis=0)
    np.testing.assert_allclose(tensors["backbone"], expected, rtol=1e-5, atol=1e-3)
    for channel in range(3):
        weights = cases_SC[:, channel] if cases_SC[:, channel].any() else None
        for name in ("head.weight", "head.bias"):
            row = np.average([model[name][channel].astype(float) for model in everyone], axis=0, weights=weights)
            np.testing.assert_allclose(tensors[name][channel], row, rtol=1e-5, atol=1e-3)


@given(models, cases)
def test_of_one_model_it_is_that_model(tensors, counts):
    found, cases_C = consensus([final("a", tensors, counts)], ALL)
    assert all(np.array_equal(found[name], tensors[name]) for name in SHAPES) and cases_C.tolist() == list(counts)


def test_what_was_only_distilled_or_averaged_in_has_no_say():
    """A site whose row came from others brings no cases of its own, whatever its manifest says of the row."""
    own, second_hand = final("a", full(0, [0, 0, 2]), (0, 0, 3)), final("b", full(0, [0, 0, 9]), (4, 0, 0), (4.0, 0.0, 3.0))
    assert consensus([own, second_hand], ALL)[0]["head.bias"][2] == 2


def test_one_model_is_in_memory_at_a_time():
    """A federation of many sites must not be in memory at once."""
    read, alive = [], []

    def reading(model):
        def read_one():
            alive.append(sum(reference() is not None for reference in read))
            tensors = model.read()
            read.extend(weakref.ref(tensor) for tensor in tensors.values())
            return tensors

        return replace(model, read=read_one)

    finals = [reading(final(f"site_{place}", full(place, [0, 0, 0]), (1, 1, 1))) for place in range(4)]
    consensus(finals, ALL)
    # The last tensor of the one before may still be held by the loop.
    assert len(alive) == 4 and max(alive) <= 1
