"""One site's own training: the steps of one round, from the loader's batches and the supervised loss."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import torch
from torch import nn
from tqdm import tqdm

from src.dataloader import CTLoader
from src.learning.companion import Batch, Companion, supervised_loss
from src.learning.optimisation import Optimisation, Stepper
from src.learning.proximal import ProximalTerm
from src.model.losses import unpack_labels
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

    @property
    def stepper(self) -> Stepper:
        """The present optimiser; made when first asked for."""
        if self._stepper is None:
            self._stepper = self.new_stepper(self.network, self.optimisation)
        return self._stepper

    def new_stepper(self, network: nn.Module, optimisation: Optimisation) -> Stepper:
        """A fresh optimiser that moves the output rows of the structures contoured here."""
        trained_C = [cases > 0 for cases in self.data_loader.train_cases_with()]
        return Stepper(network, optimisation, self.num_steps, trained_C)

    def forget_optimiser(self) -> None:
        """Begins the next round with a fresh optimiser."""
        self._stepper = None

    def optimiser_tensors(self) -> dict[str, torch.Tensor]:
        """The optimiser's state, live, for a checkpoint; empty when the next round begins with a fresh one."""
        return {} if self._stepper is None else self._stepper.tensors()

    def restore_optimiser(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Takes over copies of what ``optimiser_tensors`` gave."""
        self.forget_optimiser()
        if tensors:
            self.stepper.restore(tensors)

    def train_round(self, site: str, round_number: int, companion: Companion | None = None) -> TrainedRound:
        """Takes the steps of one round; a function of the weights, the optimiser's state, seed, site, round and companion."""
        return self.take_steps(self.stepper, site, round_number, self.steps_per_round, companion)

    def take_steps(
        self, stepper: Stepper, site: str, round_number: int, num_steps: int, companion: Companion | None
    ) -> TrainedRound:
        """The loop that every way of training shares.

        Args:
            stepper: of this network.
            site, round_number: what batches and dropout follow from.
            num_steps: at least 1.
            companion: None trains alone.
        """
        torch.manual_seed(self.seed_of(site, round_number))
        self.network.train()
        proximal = ProximalTerm(self.network, self.proximal_mu)
        losses, norms = [], []
        batches = self.data_loader.training_batches(round_number, num_steps)
        progress = tqdm(batches, desc=f"train round {round_number}", total=num_steps, disable=None, leave=False)
        for step, loaded in enumerate(progress, start=round_number * self.steps_per_round):
            batch = self._on_device(loaded)
            logits_BCXYZ = self.logits(self.network, batch)
            loss = supervised_loss(logits_BCXYZ, batch) + proximal()
            losses.append(float(loss.detach()))
            addition = companion.join(batch, logits_BCXYZ, step) if companion else None
            norms.append(
                stepper.step(loss, step) if addition is None else stepper.step(loss + addition, step, companion.taught_C)
            )
        if skipped := sum(not math.isfinite(norm) for norm in norms):
            logger.warning(
                "round %d: %d of %d steps had no finite gradient and were skipped", round_number, skipped, len(norms)
            )
        return TrainedRound(losses=tuple(losses), gradient_norms=tuple(norms))

    def seed_of(self, *what: object) -> int:
        """A seed that follows from the plan's and from what it is for."""
        return crc32("/".join(str(part) for part in (self.random_seed, *what)).encode())

    def logits(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """A network's logits (B, C, X, Y, Z) of a batch, in the precision of this training."""
        with autocast(self.precision, self.device):
            return network(batch.image_B1XYZ)

    def _on_device(self, loaded: dict[str, torch.Tensor]) -> Batch:
        bits_BXYZ, contoured_BC = loaded["bits"].to(self.device), loaded["contoured"].to(self.device)
        return Batch(
            image_B1XYZ=loaded["image"].to(self.device),
            bits_BXYZ=bits_BXYZ,
            masks_BCXYZ=unpack_labels(bits_BXYZ, contoured_BC.shape[1]),
            contoured_BC=contoured_BC,
        )
