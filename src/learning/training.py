"""One site's own training: the steps of one round, from the loader's batches and the supervised loss."""

import logging
import math
from dataclasses import dataclass
from zlib import crc32

import torch
from torch import nn
from tqdm import tqdm

from src.dataloader import CTLoader
from src.learning.optimisation import Optimisation, Stepper
from src.learning.proximal import ProximalTerm
from src.model.losses import segmentation_loss, unpack_labels
from src.model.precision import autocast

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrainedRound:
    """What one round of training came to.

    Attributes:
        losses: loss of each step, before it.
        gradient_norms: norm of each step's gradient, before clipping; not finite where the step was skipped.
    """

    losses: tuple[float, ...]
    gradient_norms: tuple[float, ...]

    @property
    def mean_loss(self) -> float:
        """Mean over the steps."""
        return math.fsum(self.losses) / len(self.losses)

    @property
    def mean_gradient_norm(self) -> float:
        """Mean over the steps that were taken; NaN when none was."""
        taken = [norm for norm in self.gradient_norms if math.isfinite(norm)]
        return math.fsum(taken) / len(taken) if taken else math.nan


class LocalTraining:
    """Trains a network in place on one site's data.

    Args:
        network: the network, already on ``device``.
        data_loader: the site's loader.
        optimisation: how the weights move.
        steps_per_round: optimiser steps of a round.
        schedule_rounds: training rounds over which the learning rate decays.
        precision: dtype of the convolutions.
        device: where the network lies.
        proximal_mu: FedProx's μ; 0 is none.
        random_seed: of dropout.
    """

    def __init__(
        self,
        network: nn.Module,
        data_loader: CTLoader,
        *,
        optimisation: Optimisation,
        steps_per_round: int,
        schedule_rounds: int,
        precision: torch.dtype,
        device: torch.device,
        proximal_mu: float,
        random_seed: int,
    ) -> None:
        self.network, self.data_loader = network, data_loader
        self.optimisation, self.proximal_mu, self.random_seed = optimisation, proximal_mu, random_seed
        self.steps_per_round, self.num_steps = steps_per_round, steps_per_round * schedule_rounds
        self.precision, self.device = precision, device
        self._stepper: Stepper | None = None

    def forget_optimiser(self) -> None:
        """Begins the next round with a fresh optimiser."""
        self._stepper = None

    def train_round(self, site: str, round_number: int) -> TrainedRound:
        """Takes the steps of one round; a function of the weights, the optimiser's state, seed, site and round."""
        if self._stepper is None:
            trained_C = [cases > 0 for cases in self.data_loader.train_cases_with()]
            self._stepper = Stepper(self.network, self.optimisation, self.num_steps, trained_C)
        torch.manual_seed(crc32(f"{self.random_seed}/{site}/{round_number}".encode()))
        self.network.train()
        proximal = ProximalTerm(self.network, self.proximal_mu)
        losses, norms = [], []
        batches = self.data_loader.training_batches(round_number, self.steps_per_round)
        progress = tqdm(batches, desc=f"train round {round_number}", total=self.steps_per_round, disable=None, leave=False)
        for step, batch in enumerate(progress):
            loss = self.batch_loss(batch) + proximal()
            losses.append(float(loss.detach()))
            norms.append(self._stepper.step(loss, round_number * self.steps_per_round + step))
        if skipped := sum(not math.isfinite(norm) for norm in norms):
            logger.warning(
                "round %d: %d of %d steps had no finite gradient and were skipped", round_number, skipped, len(norms)
            )
        return TrainedRound(losses=tuple(losses), gradient_norms=tuple(norms))

    def batch_loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """The supervised loss of the present network on one batch of the loader; a scalar with a graph."""
        with autocast(self.precision, self.device):
            logits_BCXYZ = self.network(batch["image"].to(self.device))
        masks_BCXYZ = unpack_labels(batch["bits"].to(self.device), logits_BCXYZ.shape[1])
        return segmentation_loss(logits_BCXYZ, masks_BCXYZ, batch["contoured"].to(self.device))
