"""Snapshots: how a model travels, written and read one tensor at a time.

A snapshot, byte by byte::

    7 bytes   "OARSNAP"
    1 byte    version of this format, 1
    4 bytes   length of the envelope, unsigned, little-endian, at most 2^20
    …         the envelope: JSON in ASCII, names sorted, no blanks:
                content_sha256   SHA-256 in hex over the envelope without this entry, spelled the same way, and the payload
                manifest         see ``manifest``
                wire_dtype       float32, bfloat16 or float16
    8 bytes   the payload, a safetensors file: length of its header, unsigned, little-endian
    …         its header: JSON, per tensor dtype, shape and data_offsets; no __metadata__
    …         the tensors' bytes, little-endian, row by row, without gaps, up to the end of the file

Floating tensors are rounded to the wire dtype, float64 too: weights are exchanged, and nobody needs float64 to learn from them.
Integer and bool tensors travel as they are. No byte is without meaning: whichever is changed, the snapshot is refused.
Nothing here executes what it reads.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch

from src.exchange.manifest import Manifest
from src.exchange.model_memory import room_for
from src.exchange.settings import WIRE_DTYPES
from src.exchange.snapshot_envelope import Envelope, begin_digest, checked_manifest, encode_envelope, read_envelope
from src.exchange.snapshot_fault import SnapshotFault
from src.exchange.tensor_layout import TensorEntry, TensorLayout
from src.exchange.whole_file import write_whole

__all__ = ["SnapshotFault", "SnapshotFile", "describe_file", "read_snapshot", "write_snapshot"]

_CHUNK_BYTES = 2**20  # stays in a core's cache between being read and being hashed


@dataclass(frozen=True, kw_only=True)
class SnapshotFile:
    """A snapshot on disk.

    Attributes:
        path: of the file.
        sha256: of the whole file, in hex.
        size_bytes: of the whole file.
        manifest: what it says.
    """

    path: Path
    sha256: str
    size_bytes: int
    manifest: Manifest


def write_snapshot(path: Path, manifest: Manifest, tensors: Mapping[str, torch.Tensor], wire_dtype: str) -> SnapshotFile:
    """Writes a model; what is written depends on the arguments alone, byte for byte.

    Args:
        path: replaced as a whole, or left as it was.
        manifest: facts that ``read_snapshot`` will believe.
        tensors: by name, each storage once; any shape, stride and device; not changed meanwhile.
        wire_dtype: of ``WIRE_DTYPES``.

    Raises:
        SnapshotFault: a value that is not finite in the wire dtype, a manifest or a tensor that nobody could read.
        OSError: the disk is full or refuses.
    """
    if wire_dtype not in WIRE_DTYPES:
        raise SnapshotFault("dtype", f"wire_dtype is '{wire_dtype}', expected one of {', '.join(WIRE_DTYPES)}")
    checked_manifest(manifest.to_json(), None)
    layout = TensorLayout.of(tensors)
    content_digest = begin_digest(manifest, wire_dtype)
    for chunk in _payload(layout, tensors, wire_dtype):
        content_digest.update(chunk)
    prefix, file_digest = encode_envelope(manifest, wire_dtype, content_digest.hexdigest()), hashlib.sha256()
    # The tensors are rounded a second time rather than kept: that costs less than a second model's memory.
    write_whole(path, _hashed([prefix], _payload(layout, tensors, wire_dtype), file_digest))
    size_bytes = len(prefix) + layout.payload_bytes(wire_dtype)
    return SnapshotFile(path=path, sha256=file_digest.hexdigest(), size_bytes=size_bytes, manifest=manifest)


def read_snapshot(
    path: Path, layout: TensorLayout, structures: Sequence[str], *, compare: bool = True
) -> tuple[Manifest, dict[str, torch.Tensor]]:
    """Reads and checks a peer's model; holds at most the model and one tensor.

    Args:
        path: of the file.
        layout: of our own model.
        structures: names that the manifest's tables must hold.
        compare: whether the bytes are compared with the snapshot's digest. False is for a file whose bytes have just been
            compared with the digest of the whole file; everything else is checked all the same.

    Returns:
        The manifest, and the tensors in our order and our dtypes, in memory of their own.

    Raises:
        SnapshotFault: whatever is wrong, and nothing else.
    """
    try:
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            if size_bytes > layout.largest_snapshot_bytes:
                largest = layout.largest_snapshot_bytes
                raise SnapshotFault("oversized", f"the snapshot has {size_bytes} bytes, this model's have at most {largest}")
            envelope = read_envelope(file, structures)
            digest = begin_digest(envelope.manifest, envelope.wire_dtype) if compare else None
            order = _read_header(file, layout, envelope, size_bytes, digest)
            tensors, scratch = room_for(layout), _Scratch(layout, envelope.wire_dtype)
            for entry in order:
                _read_tensor(file, entry, tensors[entry.name], scratch, digest)
    except OSError as error:
        raise SnapshotFault("unreadable", f"the snapshot cannot be read from this site's disk ({error.strerror})") from error
    if digest is not None:
        _check_digest(digest.hexdigest(), envelope)
    for name, tensor in tensors.items():
        _check_values(name, tensor)
    return envelope.manifest, tensors


def describe_file(path: Path) -> SnapshotFile:
    """What a snapshot of our own is, found on disk; its bytes are compared with its digest, its tensors are not looked at.

    Raises:
        SnapshotFault: it is not what was written.
        OSError: it cannot be read.
    """
    whole = hashlib.sha256()
    with path.open("rb") as file:
        envelope = read_envelope(file, None)
        file.seek(0)
        whole.update(file.read(envelope.num_bytes))
        content = begin_digest(envelope.manifest, envelope.wire_dtype)
        while chunk := file.read(_CHUNK_BYTES):
            whole.update(chunk)
            content.update(chunk)
        size_bytes = file.tell()
    _check_digest(content.hexdigest(), envelope)
    return SnapshotFile(path=path, sha256=whole.hexdigest(), size_bytes=size_bytes, manifest=envelope.manifest)


class _Scratch:
    """Room for one tensor as it travels, the same for each: memory of its own for each would leave holes that nothing fills."""

    def __init__(self, layout: TensorLayout, wire_dtype: str) -> None:
        self._wire_dtype = wire_dtype
        self._memory = torch.empty(max((entry.num_bytes(wire_dtype) for entry in layout.entries), default=0), dtype=torch.uint8)

    def is_as_sent(self, entry: TensorEntry) -> bool:
        """Whether a tensor travels in its own dtype."""
        return entry.wire(self._wire_dtype) == entry.dtype

    def room_for(self, entry: TensorEntry) -> torch.Tensor:
        """A contiguous tensor of the entry's shape in the wire's dtype; its values are whatever was there."""
        room = self._memory[: entry.num_bytes(self._wire_dtype)]
        return room.view(entry.wire(self._wire_dtype)).reshape(entry.shape)


# Writing.


def _payload(layout: TensorLayout, tensors: Mapping[str, torch.Tensor], wire_dtype: str) -> Iterator[bytes | memoryview]:
    yield layout.header(wire_dtype)
    scratch = _Scratch(layout, wire_dtype)
    for entry in layout.entries:
        tensor = tensors[entry.name].detach()
        if not (tensor.is_cpu and tensor.is_contiguous() and tensor.dtype == entry.wire(wire_dtype)):
            tensor = scratch.room_for(entry).copy_(tensor)
        if not _is_finite(tensor):
            raise SnapshotFault("not_finite", f"tensor {entry.name} has values that are not finite in {wire_dtype}")
        yield from _chunks(_bytes_of(tensor))


def _hashed(prefix: Iterable[bytes], payload: Iterable[bytes | memoryview], digest: "hashlib._Hash") -> Iterator:
    for chunks in (prefix, payload):
        for chunk in chunks:
            digest.update(chunk)
            yield chunk


def _chunks(content: memoryview) -> Iterator[memoryview]:
    return (content[start : start + _CHUNK_BYTES] for start in range(0, len(content), _CHUNK_BYTES))


def _bytes_of(tensor: torch.Tensor) -> memoryview:
    """A contiguous tensor's own memory."""
    return memoryview(tensor.reshape(-1).view(torch.uint8).numpy())


# Reading.


def _read_header(
    file: BinaryIO, layout: TensorLayout, envelope: Envelope, size_bytes: int, digest: "hashlib._Hash | None"
) -> list[TensorEntry]:
    """The payload's tensors in its order, once lengths and header are seen to be those of our model."""
    prefix = file.read(8)
    header_bytes, limit_bytes = int.from_bytes(prefix, "little"), layout.header_limit_bytes(envelope.wire_dtype) - 8
    if len(prefix) == 8 and header_bytes > limit_bytes:
        raise SnapshotFault("format", f"the payload's header has {header_bytes} bytes, this model's have at most {limit_bytes}")
    expected_bytes = envelope.num_bytes + 8 + header_bytes + layout.data_bytes(envelope.wire_dtype)
    if len(prefix) < 8 or size_bytes < expected_bytes:
        raise SnapshotFault("truncated", f"the snapshot has {size_bytes} bytes, expected {expected_bytes}")
    if size_bytes > expected_bytes:
        raise SnapshotFault("oversized", f"the snapshot has {size_bytes} bytes, expected {expected_bytes}")
    header = file.read(header_bytes)
    if digest is not None:
        digest.update(prefix + header)
    return layout.in_order_of(header, envelope.wire_dtype)


def _read_tensor(
    file: BinaryIO, entry: TensorEntry, target: torch.Tensor, scratch: _Scratch, digest: "hashlib._Hash | None"
) -> None:
    read = target if scratch.is_as_sent(entry) else scratch.room_for(entry)
    for chunk in _chunks(_bytes_of(read)):
        if file.readinto(chunk) < len(chunk):
            raise SnapshotFault("truncated", f"the snapshot ends within tensor {entry.name}")
        if digest is not None:
            digest.update(chunk)
    if read is not target:
        target.copy_(read)


def _check_digest(found: str, envelope: Envelope) -> None:
    if found != envelope.content_sha256:
        raise SnapshotFault(
            "digest", "the snapshot's bytes are not those its digest was made of: damaged on disk or on its way"
        )


def _check_values(name: str, tensor: torch.Tensor) -> None:
    if not _is_finite(tensor):
        raise SnapshotFault("not_finite", f"tensor {name} has values that are not finite")
    # A bool of another byte than 0 and 1 is undefined: it may be neither true nor false.
    if tensor.dtype == torch.bool and tensor.numel() and tensor.view(torch.uint8).max() > 1:
        raise SnapshotFault("value", f"tensor {name} has bools that are neither true nor false")


def _is_finite(tensor: torch.Tensor) -> bool:
    """Whether no value is Inf or NaN: neither is hidden from the least and the greatest, and these need no memory."""
    if not tensor.dtype.is_floating_point or not tensor.numel():
        return True
    return all(bool(torch.isfinite(value)) for value in torch.aminmax(tensor))
