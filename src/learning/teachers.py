"""Several peers' networks as one teacher, and how far ours agrees with it on whole cases.

Shape suffixes: B batch, C structures, XYZ voxels, T teachers, M the structures that are taught.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from src.data.cache import PreparedCase
from src.dataloader import CTLoader
from src.model.inference import Predictor

# Whole cases are slow to predict, and with every teacher; a handful tells whether the phase did anything.
_MOST_CASES = 5


class Teachers:
    """The mean opinion of frozen networks, weighted per structure.

    Args:
        teachers: networks and their weight per channel, at least 0.
        wanted_channels: channels that may be taught.
        device: of the networks.

    Attributes:
        networks: those with a weight in some wanted channel, in evaluation mode.
        channels: the wanted channels in which some network has a weight.
    """

    def __init__(
        self, teachers: Sequence[tuple[nn.Module, Sequence[float]]], wanted_channels: Sequence[int], device: torch.device
    ) -> None:
        useful = [(network, weights) for network, weights in teachers if any(weights[c] > 0 for c in wanted_channels)]
        self.networks = [network.eval() for network, _ in useful]
        self.channels = [c for c in wanted_channels if any(weights[c] > 0 for _, weights in useful)]
        self._weight_TC = torch.tensor([list(weights) for _, weights in useful], dtype=torch.float32, device=device)

    def target(self, logits_T: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """What they say together of a batch.

        Args:
            logits_T: of each network, (B, C, X, Y, Z).

        Returns:
            Logits of the mean probability and the trust in each voxel, float32 (B, C, X, Y, Z); 0 in channels not taught.
        """
        target_BCXYZ = torch.zeros(logits_T[0].shape, device=logits_T[0].device)
        trust_BCXYZ = torch.zeros_like(target_BCXYZ)
        for channel in self.channels:
            share_T = self._weight_TC[:, channel] / self._weight_TC[:, channel].sum()
            chosen = share_T.nonzero().flatten().tolist()
            logits_TBXYZ = torch.stack([logits_T[t][:, channel].float() for t in chosen])
            share_T1111 = share_T[chosen].to(logits_TBXYZ.device)[:, None, None, None, None]
            # log of the mean probability, and of the mean of its complement: exact where both models are sure.
            inside = torch.logsumexp(F.logsigmoid(logits_TBXYZ) + share_T1111.log(), dim=0)
            outside = torch.logsumexp(F.logsigmoid(-logits_TBXYZ) + share_T1111.log(), dim=0)
            target_BCXYZ[:, channel] = inside - outside
            trust_BCXYZ[:, channel] = (2 * (share_T1111 * (logits_TBXYZ > 0)).sum(dim=0) - 1).abs()
        return target_BCXYZ, trust_BCXYZ


class Agreement:
    """Soft Dice of our network with the teachers, 2 Σ p q / (Σ p² + Σ q²), on a site's validation cases, else training cases.

    With squares it is 1 for equal probabilities, however unsure; without them two unsure networks could never agree.

    Source: Milletari et al. 2016, V-Net, arXiv:1606.04797, equation 3.

    Args:
        teachers: asked once, here; what they say is kept as float16.
        predictor: of our network.
        data_loader: the site's.
    """

    def __init__(self, teachers: Teachers, predictor: Predictor, data_loader: CTLoader) -> None:
        self._channels, self._predictor = teachers.channels, predictor
        self._cases = (data_loader.valid_cases or data_loader.train_cases)[:_MOST_CASES]
        self._targets = [self._ask(teachers, case) for case in self._cases]

    def measure(self) -> list[float]:
        """Of the present network, per taught channel, over the voxels of all cases; NaN when both see nothing at all."""
        sums_3M = np.zeros((3, len(self._channels)))
        for case, target_MXYZ in zip(self._cases, self._targets, strict=True):
            own_MXYZ = torch.sigmoid(torch.from_numpy(self._predictor.logits(case.hu_XYZ)[self._channels]))
            target_MXYZ = torch.from_numpy(target_MXYZ).float()
            for row, values in zip(sums_3M, (own_MXYZ * target_MXYZ, own_MXYZ**2, target_MXYZ**2), strict=True):
                row += values.flatten(1).sum(dim=1, dtype=torch.float64).numpy()
        overlap_M, own_M, target_M = sums_3M
        return [
            2 * overlap / (own + target) if own + target else math.nan
            for overlap, own, target in zip(overlap_M.tolist(), own_M.tolist(), target_M.tolist(), strict=True)
        ]

    def _ask(self, teachers: Teachers, case: PreparedCase) -> np.ndarray:
        logits_T = [
            torch.from_numpy(self._predictor.applied_to(network).logits(case.hu_XYZ))[None] for network in teachers.networks
        ]
        target_BCXYZ, _ = teachers.target(logits_T)
        return torch.sigmoid(target_BCXYZ[0, self._channels]).half().numpy()
