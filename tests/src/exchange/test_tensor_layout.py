"""What a payload must look like is known from our own model, to the byte; anything else is refused by reason."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save

from src.exchange.settings import WIRE_DTYPES
from src.exchange.snapshot_fault import SnapshotFault
from src.exchange.tensor_layout import TensorLayout
from tests.src.exchange.small_snapshots import every_kind_of_tensor, in_wire_dtype, payload

DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
]
MODELS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    st.tuples(st.lists(st.integers(0, 4), max_size=4).map(tuple), st.sampled_from(DTYPES)),
    max_size=8,
)
PAIR = TensorLayout.of({"a": torch.zeros(2), "b": torch.zeros(3, dtype=torch.int64)})


def as_it_travels(tensors: dict[str, torch.Tensor], wire_dtype: str) -> dict[str, torch.Tensor]:
    return {
        name: (tensor.to(getattr(torch, wire_dtype)) if tensor.is_floating_point() else tensor)
        for name, tensor in tensors.items()
    }


@given(MODELS, st.sampled_from(WIRE_DTYPES))
def test_sizes_and_headers_are_those_of_the_safetensors_library(model, wire_dtype):
    tensors = {name: torch.zeros(shape).to(dtype) for name, (shape, dtype) in model.items()}
    layout = TensorLayout.of(tensors)
    ours = layout.header(wire_dtype) + bytes(layout.data_bytes(wire_dtype))
    assert len(ours) == layout.payload_bytes(wire_dtype)
    loaded = load(ours)
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in loaded.items()} == {
        name: (tensor.shape, tensor.dtype) for name, tensor in as_it_travels(tensors, wire_dtype).items()
    }
    theirs = save(as_it_travels(tensors, wire_dtype))
    header = theirs[8 : 8 + int.from_bytes(theirs[:8], "little")]
    assert len(header) + 8 <= layout.header_limit_bytes(wire_dtype)
    assert {entry.name for entry in layout.in_order_of(header, wire_dtype)} == set(tensors)


@pytest.mark.parametrize("wire_dtype", WIRE_DTYPES)
def test_no_snapshot_is_larger_than_the_largest(wire_dtype):
    layout = TensorLayout.of(every_kind_of_tensor())
    assert layout.payload_bytes(wire_dtype) + 2**20 + 12 <= layout.largest_snapshot_bytes
    # ... and the bound is tight: the widest dtype decides, and only the order of the tensors is left open.
    assert layout.largest_snapshot_bytes <= layout.payload_bytes("float32") + 2**20 + 12 + 200


def test_float64_travels_in_the_wire_dtype_and_whole_numbers_in_their_own():
    layout = TensorLayout.of({"double": torch.zeros(3, dtype=torch.float64), "steps": torch.zeros(3, dtype=torch.int64)})
    assert layout.data_bytes("float16") == 3 * 2 + 3 * 8
    assert layout.data_bytes("float32") == 3 * 4 + 3 * 8


def test_any_order_is_read_in_the_order_of_the_bytes():
    tensors = in_wire_dtype(every_kind_of_tensor(), torch.float32)
    layout = TensorLayout.of({name: tensors[name] for name in sorted(tensors, reverse=True)})
    content = payload(as_it_travels(tensors, "float32"))
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    by_offset = sorted(header, key=lambda name: header[name]["data_offsets"])
    found = [entry.name for entry in layout.in_order_of(json.dumps(header).encode(), "float32")]
    assert [name for name in found if name != "nothing"] == [name for name in by_offset if name != "nothing"]


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("name", lambda header: header.pop("a")),
        ("name", lambda header: header.update(c=header["a"])),
        ("name", lambda header: header.update(__metadata__={"format": "pt"})),
        ("shape", lambda header: header["a"].update(shape=[1, 2])),
        ("shape", lambda header: header["a"].update(shape=[2.0])),
        ("shape", lambda header: header["a"].update(shape="2")),
        ("dtype", lambda header: header["a"].update(dtype="F16")),
        ("dtype", lambda header: header["b"].update(dtype="F64")),
        ("dtype", lambda header: header["a"].update(dtype=None)),
        ("offsets", lambda header: header["a"].update(data_offsets=[0, 9])),
        ("offsets", lambda header: header["a"].update(data_offsets=[False, 8])),
        ("offsets", lambda header: header["a"].update(data_offsets=[0, 8, 8])),
        ("offsets", lambda header: header["a"].update(data_offsets=[-8, 0])),
        ("offsets", lambda header: header["b"].update(data_offsets=[0, 24])),  # over a
        ("offsets", lambda header: header["b"].update(data_offsets=[16, 40])),  # a gap after a
        ("format", lambda header: header["a"].pop("dtype")),
        ("format", lambda header: header["a"].update(extra=1)),
        ("format", lambda header: header.update(a=[1])),
        ("format", lambda header: header["a"].update(shape=[[[[2]]]])),
    ],
)
def test_what_is_not_our_model_is_refused_by_reason(reason, change):
    header = {
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "b": {"dtype": "I64", "shape": [3], "data_offsets": [8, 32]},
    }
    assert len(PAIR.in_order_of(json.dumps(header).encode(), "float32")) == 2
    change(header)
    with pytest.raises(SnapshotFault) as refused:
        PAIR.in_order_of(json.dumps(header).encode(), "float32")
    assert refused.value.reason == reason
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "header", [b"", b"{", b"[]", b" {}", b"null", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b"[" * 10000, b'{"a":1e999}']
)
def test_headers_that_are_no_strict_json_are_refused(header):
    with pytest.raises(SnapshotFault) as refused:
        PAIR.in_order_of(header, "float32")
    assert refused.value.reason == "format"


def test_models_that_no_snapshot_can_hold_are_refused():
    with pytest.raises(SnapshotFault, match=r"tensor a is torch\.complex64"):
        TensorLayout.of({"a": torch.zeros(1, dtype=torch.complex64)})
    with pytest.raises(SnapshotFault, match="__metadata__"):
        TensorLayout.of({"__metadata__": torch.zeros(1)})
