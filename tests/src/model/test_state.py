"""A network's state: each storage once, all of it or none of it."""

import numpy as np
import pytest
import torch

from src.errors import ModelCardError
from src.model.network import build_network
from src.model.state import load_network_state, network_state, state_digest, unique_tensors

DYNUNET = {
    "name": "DynUNet",
    "features": 4,
    "arguments": {"kernel_size": [3, 3, 3], "strides": [1, 2, 2], "upsample_kernel_size": [2, 2], "filters": [4, 8, 8]},
}


def network(seed: int = 0):
    torch.manual_seed(seed)
    return build_network(DYNUNET, 2)


def test_each_storage_stands_once():
    # MONAI's DynUNet lists every layer twice.
    built = network()
    state = unique_tensors(built)
    assert len(state) < len(built.state_dict())
    assert len({tensor.data_ptr() for tensor in state.values()}) == len(state)
    assert sum(tensor.numel() for tensor in state.values()) == sum(parameter.numel() for parameter in built.parameters())


def test_a_state_round_trips_bit_for_bit_through_every_alias():
    source, target = network(1), network(2)
    load_network_state(target, network_state(source), origin="a test")
    for (name, expected), found in zip(source.state_dict().items(), target.state_dict().values(), strict=True):
        assert torch.equal(expected, found), name


def test_a_state_is_free_of_the_network():
    built = network()
    state = network_state(built)
    before = state["head.bias"].copy()
    with torch.no_grad():
        built.head.bias.add_(1)
    assert np.array_equal(state["head.bias"], before)


@pytest.mark.parametrize("fault", ["missing", "extra", "shape"])
def test_a_foreign_state_is_refused_by_name_and_changes_nothing(fault):
    target, state = network(1), network_state(network(2))
    before = state_digest(network_state(target))
    if fault == "missing":
        del state["head.bias"]
    elif fault == "extra":
        state["head.scale"] = np.zeros(1, np.float32)
    else:
        state["head.bias"] = np.zeros(9, np.float32)
    with pytest.raises(ModelCardError, match=r"head\.(bias|scale)"):
        load_network_state(target, state, origin="a test")
    assert state_digest(network_state(target)) == before


def test_the_digest_knows_names_shapes_and_values_but_no_order():
    state = {"a": np.arange(4, dtype=np.float32), "b": np.zeros(2, np.float32)}
    same = {"b": state["b"], "a": state["a"]}
    assert state_digest(state) == state_digest(same)
    assert state_digest(state) != state_digest({**state, "a": state["a"].reshape(2, 2)})
    assert state_digest(state) != state_digest({**state, "b": state["b"] + 1})
    assert state_digest(state) != state_digest({"c": state["a"], "b": state["b"]})
