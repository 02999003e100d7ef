"""What a hostile site offers, made from an honest model that it fetched: rubbish of many kinds, or noise of the same norm.

Each kind of rubbish names the reason it must be refused with.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from src.exchange.manifest import Manifest
from src.exchange.snapshot import write_snapshot

_HALF_PRECISION_NAN = b"\x00\x7e"


@dataclass(frozen=True, kw_only=True)
class Forged:
    """An offer.

    Attributes:
        path: of what is sent.
        sha256, size_bytes: what is said of it, which need not be true.
        manifest: what is said in the answer; the file may say otherwise.
        refused_as: the reason with which an honest site must refuse it; None where only patients can tell.
    """

    path: Path
    sha256: str
    size_bytes: int
    manifest: Manifest
    refused_as: str | None


def random_weights(path: Path, manifest: Manifest, tensors: Mapping[str, torch.Tensor], seed: int, wire_dtype: str) -> Forged:
    """Normal noise with the norm of each tensor; the strongest claims that a manifest can make stand in front of it."""
    generator = torch.Generator().manual_seed(seed)
    noise = {
        name: torch.randn(tensor.shape, generator=generator) * (tensor.norm() / max(1, tensor.numel()) ** 0.5)
        for name, tensor in tensors.items()
    }
    boast = replace(
        manifest,
        train_cases=dict.fromkeys(manifest.train_cases, 1000),
        valid_dice=dict.fromkeys(manifest.valid_dice, 1.0),
        row_cases=dict.fromkeys(manifest.row_cases, 1000.0),
    )
    return _honestly_described(path, boast, noise, wire_dtype, None)


def garbage(
    path: Path, manifest: Manifest, tensors: Mapping[str, torch.Tensor], number: int, wire_dtype: str, victim: str
) -> Forged:
    """Rubbish; its kind follows from ``number``, one after the other.

    Args:
        path: of the file; made.
        manifest: that an honest offer would have.
        tensors: of an honest model.
        number: from 0.
        wire_dtype: of the plan.
        victim: another site's name.
    """
    honest = _honestly_described(path, manifest, tensors, wire_dtype, None)
    content = path.read_bytes()
    kinds = (
        lambda: _described(honest, np.random.default_rng(number).bytes(len(content)), "format"),
        lambda: _described(honest, content[: len(content) // 2], "truncated"),
        lambda: _described(honest, content + b"more", "oversized"),
        lambda: _described(honest, content[:-2] + _HALF_PRECISION_NAN, "not_finite"),
        lambda: _undescribed(honest, bytes([content[0] ^ 1]) + content[1:]),
        lambda: replace(honest, size_bytes=10**12, refused_as="size"),
        lambda: _honestly_described(path, replace(manifest, site=victim), tensors, wire_dtype, "name", said=manifest),
        lambda: _honestly_described(
            path, manifest, {name: 60 * tensor for name, tensor in tensors.items()}, wire_dtype, "norm"
        ),
    )
    return kinds[number % len(kinds)]()


def _honestly_described(
    path: Path,
    manifest: Manifest,
    tensors: Mapping[str, torch.Tensor],
    wire_dtype: str,
    refused_as: str | None,
    *,
    said: Manifest | None = None,
) -> Forged:
    file = write_snapshot(path, manifest, tensors, wire_dtype)
    return Forged(path=path, sha256=file.sha256, size_bytes=file.size_bytes, manifest=said or manifest, refused_as=refused_as)


def _described(honest: Forged, content: bytes, refused_as: str) -> Forged:
    """Other bytes, whose true size and digest are told: what is wrong shows only to who reads them."""
    honest.path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return replace(honest, sha256=sha256, size_bytes=len(content), refused_as=refused_as)


def _undescribed(honest: Forged, content: bytes) -> Forged:
    """Other bytes than those described."""
    honest.path.write_bytes(content)
    return replace(honest, refused_as="digest")
