"""A network's tensors by name, each storage once.

MONAI's DynUNet, for one, lists every layer twice in its state dict; whoever sends the state dict sends it twice.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from src.errors import ModelCardError


def unique_tensors(network: nn.Module) -> dict[str, torch.Tensor]:
    """The tensors of a network by name, in its own order; of those sharing one storage only the first."""
    seen: set[tuple] = set()
    unique = {}
    for name, tensor in network.state_dict().items():
        place = (tensor.data_ptr(), tensor.shape, tensor.stride())
        if tensor.numel() and place in seen:
            continue
        seen.add(place)
        unique[name] = tensor
    return unique


def network_state(network: nn.Module) -> dict[str, np.ndarray]:
    """Copies of ``unique_tensors`` as NumPy arrays, free of the network's memory."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in unique_tensors(network).items()}


def state_differences(network: nn.Module, tensors: Mapping[str, np.ndarray]) -> list[str]:
    """What keeps ``tensors`` from being a state of ``network``, a sentence each; empty when nothing does."""
    expected = unique_tensors(network)
    differences = [f"tensor {name} is missing" for name in expected if name not in tensors]
    differences += [f"tensor {name} is not part of the network" for name in tensors if name not in expected]
    differences += [
        f"tensor {name} has shape {tuple(tensors[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in tensors and tuple(tensors[name].shape) != tuple(tensor.shape)
    ]
    return differences


def load_network_state(network: nn.Module, tensors: Mapping[str, np.ndarray], *, origin: str) -> None:
    """Copies ``tensors`` into the network in place; all of them or none.

    Args:
        network: the network to fill; storages shared by several names are filled through their first name.
        tensors: arrays by name as ``network_state`` gives them.
        origin: where they come from, for the message ("the aggregator", a file's name).

    Raises:
        ModelCardError: names or shapes differ; the first differences are named, and nothing is changed.
    """
    if differences := state_differences(network, tensors):
        raise ModelCardError(
            f"the weights from {origin} are not of this plan's network: {'; '.join(differences[:3])}"
            f"{' …' if len(differences) > 3 else ''}; use the plan they were trained with"
        )
    with torch.no_grad():
        for name, tensor in unique_tensors(network).items():
            tensor.copy_(torch.from_numpy(np.asarray(tensors[name])))


def state_digest(tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, shapes and float32 values, in hex; independent of the order of names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        values = np.ascontiguousarray(tensors[name], dtype=np.float32)
        digest.update(f"{name}{values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
