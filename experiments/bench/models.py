"""Models to be sent: the tensors of a U-Net with random values, and a learner that owns them."""

import math
from collections.abc import Mapping, Sequence

import torch

from experiments.toy_learner import ToyLearner
from src.exchange.learner import PeerModel

Shapes = dict[str, tuple[int, ...]]


def unet_shapes(filters: Sequence[int]) -> Shapes:
    """Shapes of nnU-Net's 3D U-Net as MONAI's DynUNet has it: two convolutions per level, each with a normalisation.

    Args:
        filters: channels per level, the finest first.

    Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z.
    """
    shapes: Shapes = {}
    below = 1
    for level, channels in enumerate(filters):
        shapes |= _block(f"down.{level}", below, channels)
        below = channels
    for level, channels in reversed(list(enumerate(filters[:-1]))):
        shapes[f"up.{level}.transposed.weight"] = (filters[level + 1], channels, 2, 2, 2)
        shapes |= _block(f"up.{level}", 2 * channels, channels)
    return {**shapes, "head.weight": (7, filters[0], 1, 1, 1), "head.bias": (7,)}


def num_bytes(shapes: Mapping[str, Sequence[int]]) -> int:
    """Of a float32 model."""
    return 4 * sum(math.prod(shape) for shape in shapes.values())


def _block(name: str, channels_in: int, channels: int) -> Shapes:
    shapes: Shapes = {}
    for number, into in ((1, channels_in), (2, channels)):
        shapes[f"{name}.convolution_{number}.weight"] = (channels, into, 3, 3, 3)
        shapes[f"{name}.norm_{number}.weight"] = (channels,)
        shapes[f"{name}.norm_{number}.bias"] = (channels,)
    return shapes


# 31 million values are nnU-Net's own choice for most data; the small one is what 3D networks of hospitals without GPUs have.
MODELS = {"20 MB": unet_shapes([16, 32, 64, 128, 220]), "125 MB": unet_shapes([32, 64, 128, 256, 320, 320])}


class ModelLearner(ToyLearner):
    """A toy learner whose model has the tensors of a real network; its training is the averaging alone.

    Args:
        site: its name.
        shapes: of the tensors.
    """

    def __init__(self, site: str, shapes: Mapping[str, Sequence[int]]) -> None:
        super().__init__(site, values=num_bytes(shapes) // 4)
        self._tensors, start = {}, 0
        for name, shape in shapes.items():
            end = start + math.prod(shape)
            self._tensors[name] = self.weights[start:end].view(tuple(shape))
            start = end

    def tensors(self) -> Mapping[str, torch.Tensor]:
        """The network's."""
        return self._tensors

    def learn(self, round_number: int, peers: Sequence[PeerModel]) -> dict:
        """Averages with what arrived; moves a little, so that no two rounds publish the same."""
        for peer in peers:
            for name, tensor in peer.read().items():
                self._tensors[name].lerp_(tensor, peer.weight)
        self.weights[0] += 1e-3
        return {"loss": 0.0}
