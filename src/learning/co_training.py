"""What ``mutual`` and ``distill`` share: which peer teaches what how strongly, and one direction's term of the loss.

    L(self) = L_sup(self) + λ/C Σ_c g_c KL_c( sg(p_peer) ‖ p_self )

with KL_c of ``divergence`` in R_c of ``region``, g_c of ``gate``, C the structures of the plan, and sg: no gradient.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from src.learning.companion import Batch
from src.learning.divergence import class_divergence
from src.learning.region import dilation_voxels, teaching_region
from src.learning.training import LocalTraining, TrainedRound

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One round together with a peer's network.

    Attributes:
        peer_network: with the peer's weights, on the device of our own; ``mutual`` trains it in place.
        taught_own_C: g, per channel how far the peer teaches us, 0 to 1.
        taught_peer_C: g', how far we teach it; what this site does not contour is never taught, whatever stands here.
        divergence_weight: λ of this round, at least 0.
        dilation_mm: how far around a contour they learn from each other.
    """

    peer_network: nn.Module
    taught_own_C: torch.Tensor
    taught_peer_C: torch.Tensor
    divergence_weight: float
    dilation_mm: float


@dataclass(frozen=True, kw_only=True)
class CoTrainedRound(TrainedRound):
    """What a round with a peer came to; losses are the supervised ones, comparable with a round alone.

    Attributes:
        divergence_C: KL_c of us from the peer, mean over the steps with the peer's term; NaN for what was not taught.
        dropped_steps: steps of ours that went without the peer's term because it was not finite.
        peer: the incoming copy's own training; None where it was frozen.
    """

    divergence_C: tuple[float, ...]
    dropped_steps: int
    peer: TrainedRound | None


class DivergenceTerm:
    """One direction's term of the loss, and a record of it.

    Args:
        weight_C: factor of each structure's divergence, at least 0.
    """

    def __init__(self, weight_C: torch.Tensor) -> None:
        self.weight_C, self.taught_C = weight_C, weight_C > 0
        self.dropped_steps = 0
        self._sum_C, self._steps = torch.zeros_like(weight_C), 0

    def __call__(
        self,
        learner_BCXYZ: torch.Tensor,
        teacher_BCXYZ: torch.Tensor,
        region_BCXYZ: torch.Tensor | None,
        trust_BCXYZ: torch.Tensor | None = None,
    ) -> torch.Tensor | None:
        """Σ_c weight_c KL_c, a scalar; None when nothing is taught, or when it is not finite and is left out.

        Args:
            learner_BCXYZ, teacher_BCXYZ: logits; the teacher's get no gradient.
            region_BCXYZ: bool; None when a model's logits were not finite.
            trust_BCXYZ: see ``class_divergence``.
        """
        if not self.taught_C.any():
            return None
        divergence_C = None
        if region_BCXYZ is not None:
            region_BCXYZ = region_BCXYZ & self.taught_C[:, None, None, None]
            divergence_C = class_divergence(learner_BCXYZ, teacher_BCXYZ, region_BCXYZ, trust_BCXYZ)
        if divergence_C is None or not torch.isfinite(divergence_C).all():
            self.dropped_steps += 1
            return None
        self._sum_C += divergence_C.detach()
        self._steps += 1
        return (self.weight_C * divergence_C).sum()

    def mean_C(self) -> tuple[float, ...]:
        """Mean divergence over the steps with this term; NaN for what was not taught."""
        if not self._steps:
            return (math.nan,) * len(self.weight_C)
        return tuple(torch.where(self.taught_C, self._sum_C / self._steps, math.nan).tolist())


class SharedRegion:
    """R_c of each step, for both directions.

    Args:
        local: the site's training.
        dilation_mm: d of the formula.
        site, round_number: the sample of background follows from them and the step.
    """

    def __init__(self, local: LocalTraining, dilation_mm: float, site: str, round_number: int) -> None:
        self._radius_XYZ = dilation_voxels(dilation_mm, local.data_loader.preprocessing.spacing_mm)
        self._seed_of = lambda step: local.seed_of(site, round_number, step, "background")

    def __call__(
        self, own_BCXYZ: torch.Tensor, peer_BCXYZ: torch.Tensor, batch: Batch, taught_C: torch.Tensor, step: int
    ) -> torch.Tensor | None:
        """bool (B, C, X, Y, Z), see ``teaching_region``; None when logits are not finite, for then they teach nothing."""
        if not (_is_finite(own_BCXYZ) and _is_finite(peer_BCXYZ)):
            return None
        return teaching_region(
            own_BCXYZ,
            peer_BCXYZ,
            batch.bits_BXYZ,
            batch.contoured_BC,
            taught_C=taught_C,
            radius_XYZ=self._radius_XYZ,
            seed=self._seed_of(step),
        )


def co_trained(own: TrainedRound, term: DivergenceTerm, peer: TrainedRound | None) -> CoTrainedRound:
    """Puts a round's results together, and warns of what was left out."""
    if term.dropped_steps:
        logger.warning("%d of %d steps went without the peer: logits were not finite", term.dropped_steps, len(own.losses))
    return CoTrainedRound(
        losses=own.losses,
        gradient_norms=own.gradient_norms,
        divergence_C=term.mean_C(),
        dropped_steps=term.dropped_steps,
        peer=peer,
    )


def direction_weights(gate_C: torch.Tensor, lesson: Lesson, device: torch.device) -> torch.Tensor:
    """λ/C · g_c, float32 (C,)."""
    return (lesson.divergence_weight / len(gate_C) * gate_C.float()).to(device)


@contextmanager
def generators_of_its_own(device: torch.device, seed: int) -> Iterator[None]:
    """A block whose random draws follow from ``seed`` and leave the generators outside as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _is_finite(logits: torch.Tensor) -> bool:
    # A sum is finite only if all its terms are, and is one pass without memory.
    return bool(torch.isfinite(logits.detach().sum(dtype=torch.float32)))
