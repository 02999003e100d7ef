"""Memory for a whole model in one piece, in large pages where the system has them.

To get 125 MB in pages of 4 KiB costs a processor as much as to hash them: each page is asked for, zeroed and mapped alone.
Source: docs.kernel.org/admin-guide/mm/transhuge.html.
"""

import contextlib
import math
import mmap

import torch

from src.exchange.tensor_layout import TensorEntry, TensorLayout

_LARGE_PAGE_BYTES = 2**21
_ALIGNMENT_BYTES = 64  # a processor's cache line


def room_for(layout: TensorLayout) -> dict[str, torch.Tensor]:
    """Contiguous tensors of a model's names, shapes and dtypes, in its order; filled with zeros.

    Each has a storage of its own; the memory behind them is given back when the last of them is gone.
    """
    starts, end = [], 0
    for entry in layout.entries:
        starts.append(end)
        end += -(-_num_bytes(entry) // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
    memory = _memory(end)
    return {entry.name: _tensor(entry, memory, start) for entry, start in zip(layout.entries, starts, strict=True)}


def _tensor(entry: TensorEntry, memory: mmap.mmap | bytearray, start: int) -> torch.Tensor:
    if not _num_bytes(entry):
        return torch.empty(entry.shape, dtype=entry.dtype)
    flat = torch.frombuffer(memory, dtype=entry.dtype, count=math.prod(entry.shape), offset=start)
    return flat.reshape(entry.shape)


def _num_bytes(entry: TensorEntry) -> int:
    return math.prod(entry.shape) * entry.dtype.itemsize


def _memory(num_bytes: int) -> mmap.mmap | bytearray:
    if num_bytes < _LARGE_PAGE_BYTES or not hasattr(mmap, "MADV_HUGEPAGE"):
        return bytearray(num_bytes)
    block = mmap.mmap(-1, num_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # shared memory has no large pages
    with contextlib.suppress(OSError):  # a kernel without them
        block.madvise(mmap.MADV_HUGEPAGE)
    return block
