"""What a training step shows to whoever learns along with the network: the batch, and a place to join in.

Shape suffixes: B batch, C structures, XYZ voxels.
"""

from dataclasses import dataclass
from typing import Protocol

import torch

from src.model.losses import segmentation_loss


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch of the loader, on the network's device.

    Attributes:
        image_B1XYZ: float32 in −1 … 1.
        bits_BXYZ: int32, bit c of a voxel is set where structure c is contoured.
        masks_BCXYZ: the same as float32 of 0 and 1.
        contoured_BC: bool, structure contoured in that case.
    """

    image_B1XYZ: torch.Tensor
    bits_BXYZ: torch.Tensor
    masks_BCXYZ: torch.Tensor
    contoured_BC: torch.Tensor


class Companion(Protocol):
    """What learns along with the network in each step, and may add to its loss."""

    taught_C: torch.Tensor
    """bool; output rows that may move in a step with an addition although the site does not train them."""

    def join(self, batch: Batch, own_logits_BCXYZ: torch.Tensor, step: int) -> torch.Tensor | None:
        """Takes part in one step; must draw nothing from the network's own generators.

        Args:
            batch: that the network has just seen.
            own_logits_BCXYZ: what it made of it, with its graph.
            step: steps done before, over all rounds.

        Returns:
            What is added to the network's loss; None leaves the step as it would be alone, bit for bit.
        """


def supervised_loss(logits_BCXYZ: torch.Tensor, batch: Batch) -> torch.Tensor:
    """``segmentation_loss`` of logits against what is contoured; a scalar."""
    return segmentation_loss(logits_BCXYZ, batch.masks_BCXYZ, batch.contoured_BC)
