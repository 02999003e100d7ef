"""A network as TorchScript: one file that PyTorch runs from Python or C++ without the code that made it."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

TORCHSCRIPT_FILE = "model.ts"


def write_torchscript(path: Path, network: nn.Module, patch_voxels: Sequence[int]) -> None:
    """Traces a network and writes it.

    Args:
        path: the file.
        network: maps (B, 1, X, Y, Z) to logits (B, C, X, Y, Z), float32, on the CPU; left as it is.
        patch_voxels: X, Y, Z of a window; it is meant for no other size.
    """
    was_training = network.training
    network.eval()
    with torch.no_grad(), warnings.catch_warnings():
        # What depends on the shape is fixed by tracing; and PyTorch calls the format its past, which its readers are not.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(network, torch.zeros(1, 1, *patch_voxels))
        torch.jit.save(traced, str(path))
    network.train(was_training)


def read_torchscript(path: Path) -> nn.Module:
    """A network that ``write_torchscript`` wrote, on the CPU; PyTorch reads it without Python's pickle."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(str(path), map_location="cpu")
