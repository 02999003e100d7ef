"""What a peer's payload must look like, known from our own model before a byte of the peer's is read.

The payload is a safetensors file: 8 bytes of header length (little-endian), a JSON header, filled up with blanks to a multiple
of 8, and the tensors' bytes without gaps. Source: https://github.com/huggingface/safetensors#format.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from src.exchange.settings import WIRE_DTYPES
from src.exchange.snapshot_envelope import ENVELOPE_LIMIT_BYTES
from src.exchange.snapshot_fault import SnapshotFault
from src.exchange.strict_json import JsonFault, strict_json

_CODES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_DEEPEST = 3  # header, entry, shape
_ALIGNMENT_BYTES = 8


@dataclass(frozen=True)
class TensorEntry:
    """One tensor of our own model.

    Attributes:
        name: its name.
        shape: its shape; () for a scalar.
        dtype: its own.
    """

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    def wire(self, wire_dtype: str) -> torch.dtype:
        """What it travels in: a floating tensor (float64 too) in the wire's dtype, any other in its own."""
        return getattr(torch, wire_dtype) if self.dtype.is_floating_point else self.dtype

    def num_bytes(self, wire_dtype: str) -> int:
        """On the wire."""
        return math.prod(self.shape) * self.wire(wire_dtype).itemsize


@dataclass(frozen=True)
class TensorLayout:
    """Names, shapes and dtypes of a model, in its own order.

    Attributes:
        entries: one per tensor; may be empty.
    """

    entries: tuple[TensorEntry, ...]

    @classmethod
    def of(cls, tensors: Mapping[str, torch.Tensor]) -> "TensorLayout":
        """The layout of a model.

        Args:
            tensors: by name, each storage once; any shape, stride and device.

        Raises:
            SnapshotFault: a dtype or a name that no snapshot can hold.
        """
        for name, tensor in tensors.items():
            if tensor.dtype not in _CODES:
                raise SnapshotFault("dtype", f"tensor {name} is {tensor.dtype}; a snapshot holds {', '.join(map(str, _CODES))}")
            if name == "__metadata__":
                raise SnapshotFault("name", "a tensor is named __metadata__, which safetensors keeps for itself; rename it")
        return cls(tuple(TensorEntry(name, tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()))

    def data_bytes(self, wire_dtype: str) -> int:
        """Of all tensors."""
        return sum(entry.num_bytes(wire_dtype) for entry in self.entries)

    def header(self, wire_dtype: str) -> bytes:
        """The payload's header as we write it: its length, the JSON, and blanks."""
        content, offset = {}, 0
        for entry in self.entries:
            end = offset + entry.num_bytes(wire_dtype)
            content[entry.name] = _described(entry, wire_dtype, offset, end)
            offset = end
        return _framed(content)

    def payload_bytes(self, wire_dtype: str) -> int:
        """Of a payload as we write it."""
        return len(self.header(wire_dtype)) + self.data_bytes(wire_dtype)

    def header_limit_bytes(self, wire_dtype: str) -> int:
        """The longest header of a payload that has the same tensors in any order, its length included."""
        total = self.data_bytes(wire_dtype)
        return len(_framed({entry.name: _described(entry, wire_dtype, total, total) for entry in self.entries}))

    @property
    def largest_snapshot_bytes(self) -> int:
        """What no snapshot of this model exceeds, whatever its wire dtype."""
        return max(
            ENVELOPE_LIMIT_BYTES + 12 + self.header_limit_bytes(wire_dtype) + self.data_bytes(wire_dtype)
            for wire_dtype in WIRE_DTYPES
        )

    def in_order_of(self, header: bytes, wire_dtype: str) -> list[TensorEntry]:
        """The tensors in the order in which a payload holds them.

        Args:
            header: a payload's header, without its length.
            wire_dtype: what the payload says it is in.

        Raises:
            SnapshotFault: the header is not one of a payload with exactly our tensors, one after the other.
        """
        try:
            content = strict_json(header, _DEEPEST)
        except JsonFault as fault:
            raise SnapshotFault("format", f"the payload's header cannot be read: it {fault}") from fault
        if not isinstance(content, dict) or not header.startswith(b"{"):
            raise SnapshotFault("format", "the payload's header is no JSON object")
        self._check_names(content)
        places = sorted((*_offsets(content[entry.name], entry, wire_dtype), entry.name) for entry in self.entries)
        end = 0
        for start, stop, name in places:
            if start != end:
                raise SnapshotFault(
                    "offsets", f"tensor {name} begins at byte {start!r:.40} of the payload's data, expected {end}"
                )
            end = stop
        by_name = {entry.name: entry for entry in self.entries}
        return [by_name[name] for _, _, name in places]

    def _check_names(self, content: Mapping[str, object]) -> None:
        names = {entry.name for entry in self.entries}
        if missing := names - set(content):
            raise SnapshotFault("name", f"{len(missing)} tensors are missing, {min(missing)!r:.80} among them")
        if unknown := set(content) - names:
            raise SnapshotFault("name", f"{len(unknown)} tensors are not ours, {min(unknown)!r:.80} among them")


def _offsets(content: object, entry: TensorEntry, wire_dtype: str) -> tuple[int, int]:
    """Begin and end of one tensor's bytes, once its entry is seen to be the expected one."""
    if not isinstance(content, dict) or set(content) != {"dtype", "shape", "data_offsets"}:
        raise SnapshotFault("format", f"tensor {entry.name} is not described by dtype, shape and data_offsets alone")
    if content["dtype"] != _CODES[entry.wire(wire_dtype)]:
        expected = _CODES[entry.wire(wire_dtype)]
        raise SnapshotFault("dtype", f"tensor {entry.name} is {content['dtype']!r:.40}, expected {expected!r}")
    if not _is_whole_list(content["shape"]) or tuple(content["shape"]) != entry.shape:
        raise SnapshotFault("shape", f"tensor {entry.name} has shape {content['shape']!r:.60}, expected {list(entry.shape)}")
    offsets, num_bytes = content["data_offsets"], entry.num_bytes(wire_dtype)
    if not _is_whole_list(offsets) or len(offsets) != 2 or offsets[1] - offsets[0] != num_bytes:
        raise SnapshotFault("offsets", f"tensor {entry.name} lies at {offsets!r:.60}, expected begin and end {num_bytes} apart")
    return offsets[0], offsets[1]


def _is_whole_list(content: object) -> bool:
    return isinstance(content, list) and all(type(value) is int for value in content)  # True is no number here


def _described(entry: TensorEntry, wire_dtype: str, start: int, end: int) -> dict:
    return {"dtype": _CODES[entry.wire(wire_dtype)], "shape": list(entry.shape), "data_offsets": [start, end]}


def _framed(content: dict) -> bytes:
    encoded = json.dumps(content, separators=(",", ":")).encode("ascii")
    encoded += b" " * (-len(encoded) % _ALIGNMENT_BYTES)
    return len(encoded).to_bytes(8, "little") + encoded
