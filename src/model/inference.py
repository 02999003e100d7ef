"""Sliding-window inference on the working grid, and masks on the CT's own grid."""

from collections.abc import Iterator, Sequence
from copy import copy

import numpy as np
import torch
from monai.inferers import SlidingWindowInferer
from torch import nn

from src.data.preprocessing import OUTSIDE_LOGIT, GridGeometry, on_grid, scale_hu
from src.model.precision import autocast


class Predictor:
    """Applies a network to whole CTs.

    Args:
        network: maps (B, 1, X, Y, Z) to logits (B, C, X, Y, Z); switched to evaluation while it predicts.
        patch_voxels: the window; the training patch, for a smaller one ruins the result.
        window_hu: HU that become −1 and 1.
        overlap: share of a window that its neighbour repeats, 0 to below 1; windows are blended with a Gaussian.
        precision: dtype of the convolutions.
        device: where the network lies.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        patch_voxels: Sequence[int],
        window_hu: Sequence[float],
        overlap: float,
        precision: torch.dtype,
        device: torch.device,
    ) -> None:
        self.network, self.window_hu, self.precision, self.device = network, window_hu, precision, device
        self._windows = SlidingWindowInferer(
            roi_size=tuple(patch_voxels), sw_batch_size=2, overlap=overlap, mode="gaussian", cval=-1.0
        )

    def applied_to(self, network: nn.Module) -> "Predictor":
        """The same settings with another network."""
        other = copy(self)
        other.network = network
        return other

    @torch.no_grad()
    def logits(self, hu_XYZ: np.ndarray) -> np.ndarray:
        """Logits float32 (C, X, Y, Z) of a CT (int16 HU) on the working grid."""
        was_training = self.network.training
        self.network.eval()
        image = scale_hu(torch.from_numpy(np.array(hu_XYZ)), self.window_hu)[None, None].to(self.device)
        with autocast(self.precision, self.device):
            logits_BCXYZ = self._windows(image, lambda windows: self.network(windows).float())
        self.network.train(was_training)
        return logits_BCXYZ[0].cpu().numpy()

    def masks(
        self, hu_XYZ: np.ndarray, grid: GridGeometry, native: GridGeometry, channels: Sequence[int]
    ) -> Iterator[tuple[int, np.ndarray]]:
        """The masks of some channels on the CT's own grid.

        Args:
            hu_XYZ: the CT on the working grid.
            grid, native: where the working grid and the CT's own grid lie.
            channels: the channels that are wanted.

        Yields:
            A channel and its mask, bool (x, y, z) in the CT's own axis order.
        """
        logits_CXYZ = self.logits(hu_XYZ)
        for channel in channels:
            yield channel, on_grid(logits_CXYZ[channel], grid, native, outside=OUTSIDE_LOGIT) > 0
