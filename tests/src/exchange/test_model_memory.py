"""Room for a model: what was asked for, apart from each other, and gone when nobody holds it."""

import psutil
import pytest
import torch

from src.exchange.model_memory import room_for
from src.exchange.tensor_layout import TensorLayout

MODEL = {
    "scalar": torch.tensor(2.5, dtype=torch.float64),
    "none": torch.empty(0, 3),
    "flags": torch.tensor([True, False, True]),
    "counts": torch.arange(5),
    "half": torch.ones(3, 7, dtype=torch.bfloat16),
}


@pytest.mark.parametrize("large", [False, True], ids=["small pages", "large pages"])
def test_each_tensor_is_as_its_entry_says_and_overlaps_no_other(large):
    model = {**MODEL, "weight": torch.randn(3, 1_000_001)} if large else MODEL
    room = room_for(TensorLayout.of(model))
    assert [(name, tensor.dtype, tensor.shape) for name, tensor in room.items()] == [
        (name, tensor.dtype, tensor.shape) for name, tensor in model.items()
    ]
    for name, tensor in model.items():
        room[name].copy_(tensor)
    assert all(torch.equal(room[name], tensor) for name, tensor in model.items())
    assert all(tensor.is_contiguous() and tensor.untyped_storage().nbytes() == tensor.nbytes for tensor in room.values())


def test_two_rooms_are_apart():
    layout = TensorLayout.of({"weight": torch.empty(1_000_000)})
    first, second = room_for(layout), room_for(layout)
    first["weight"].fill_(1.0)
    assert not second["weight"].any()


def test_the_memory_is_given_back_with_the_last_tensor():
    layout, process = TensorLayout.of({"a": torch.empty(10_000_000), "b": torch.empty(10)}), psutil.Process()
    before = process.memory_info().rss
    for _ in range(5):
        room = room_for(layout)
        room["a"].fill_(1.0)
        kept = room.pop("b")
        del room
        assert kept.sum() == 0, "the memory stays as long as one of its tensors does"
        del kept
    assert process.memory_info().rss - before < 40e6


def test_a_model_without_tensors_needs_none():
    assert room_for(TensorLayout.of({})) == {}
