"""A model of every dtype and shape that matters, facts about it, and snapshots put together by hand, faults included."""

import hashlib
import json
from dataclasses import replace

import torch
from safetensors.torch import save

from src.exchange.manifest import Manifest
from src.exchange.snapshot_envelope import MAGIC

STRUCTURES = ("Brainstem", "Parotid_L")
MANIFEST = Manifest(
    site="site_b",
    federation_id="gossip-abc",
    run_id="october",
    architecture_hash="a" * 64,
    epoch=1,
    sequence=3,
    round=2,
    final=False,
    train_cases={"Brainstem": 4, "Parotid_L": 0},
    valid_cases={"Brainstem": 2, "Parotid_L": 0},
    valid_dice={"Brainstem": 0.5, "Parotid_L": None},
    row_cases={"Brainstem": 4.0, "Parotid_L": 0.0},
    code_version="0.1.0",
)


def manifest(**changes) -> Manifest:
    """The manifest above, but for some entries."""
    return replace(MANIFEST, **changes)


def every_kind_of_tensor() -> dict[str, torch.Tensor]:
    """Each dtype, a scalar, none at all, a transposed, a strided and a channels-last tensor; values that float16 holds."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator).to(torch.float16).float()

    return {
        "conv.weight": draw(4, 3, 3, 3, 3),
        "transposed": draw(5, 7).t(),
        "every other": draw(9)[::2],
        "channels_last": draw(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "scalar": torch.tensor(1.5),
        "nothing": torch.zeros(3, 0),
        "smallest": torch.tensor([2.0**-24, -0.0, 65504.0]),
        "double": draw(3).double(),
        "half": draw(3).half(),
        "brain": draw(3).bfloat16().half().bfloat16(),
        "steps": torch.tensor(2**40 + 1),
        "int32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
        "int16": torch.tensor([-(2**15)], dtype=torch.int16),
        "int8": torch.tensor([-128, 127], dtype=torch.int8),
        "uint8": torch.tensor([0, 255], dtype=torch.uint8),
        "mask": torch.tensor([[True, False], [False, True]]),
        "größe": draw(2),
    }


def in_wire_dtype(tensors: dict[str, torch.Tensor], wire_dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """What must arrive: contiguous copies, rounded to the wire and back."""
    return {
        name: (tensor.to(wire_dtype) if tensor.is_floating_point() else tensor).to(tensor.dtype).contiguous().clone()
        for name, tensor in tensors.items()
    }


def payload(tensors: dict[str, torch.Tensor]) -> bytes:
    """A payload as the safetensors library writes it."""
    return save({name: tensor.contiguous() for name, tensor in tensors.items()})


def framed(header: bytes, data: bytes) -> bytes:
    """A payload of one's own making."""
    return len(header).to_bytes(8, "little") + header + data


def sealed(facts: dict, content: bytes) -> bytes:
    """A snapshot whose digest fits whatever it holds, as a peer that means harm would make it."""
    digest = hashlib.sha256(spelled(facts) + content).hexdigest()
    envelope = spelled({**facts, "content_sha256": digest})
    return MAGIC + len(envelope).to_bytes(4, "little") + envelope + content


def facts(wire_dtype: str = "float32", **changes) -> dict:
    """Of ``MANIFEST``, but for some entries of the manifest."""
    return {"manifest": {**MANIFEST.to_json(), **changes}, "wire_dtype": wire_dtype}


def spelled(content: dict) -> bytes:
    """The one spelling of an envelope."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def same_bits(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> bool:
    """Whether names, dtypes, shapes and every bit are equal; that of −0 too."""
    return list(found) == list(expected) and all(
        tensor.dtype == expected[name].dtype
        and tensor.shape == expected[name].shape
        and torch.equal(bits_of(tensor), bits_of(expected[name]))
        for name, tensor in found.items()
    )


def bits_of(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor's bytes."""
    return tensor.contiguous().reshape(-1).view(torch.uint8)
