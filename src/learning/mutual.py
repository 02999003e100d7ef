"""Rule ``mutual``: a round in which our network and a copy of the peer's learn on our data and from each other.

    L(self) = L_sup(self) + λ/C Σ_c g_c  KL_c( sg(p_peer) ‖ p_self )
    L(peer) = L_sup(peer) + λ/C Σ_c g'_c KL_c( sg(p_self) ‖ p_peer )

Both see the same batch and are updated from what both thought of it before. The copy has a fresh optimiser with the settings
and the learning rate of ours. What this site does not contour goes one way, from the peer: we never teach it, and the copy's
output rows of it do not move. In a case where a structure happens not to be contoured we do not teach it either.

Sources: deep mutual learning, Zhang et al. 2018, arXiv:1706.00384; between hospitals, gossip mutual learning, arXiv:2401.06180,
arXiv:2401.15434 and, class-wise, arXiv:2503.03883.
"""

import torch

from src.learning.co_training import (
    CoTrainedRound,
    DivergenceTerm,
    Lesson,
    SharedRegion,
    co_trained,
    direction_weights,
    generators_of_its_own,
)
from src.learning.companion import Batch, supervised_loss
from src.learning.training import LocalTraining, TrainedRound


def train_mutually(local: LocalTraining, lesson: Lesson, site: str, round_number: int) -> CoTrainedRound:
    """One round of training of both networks; where the peer teaches nothing, ours is bit for bit what it is alone.

    Args:
        local: the site's training; its network learns.
        lesson: the peer's network, trained in place, and what the two teach each other.
        site, round_number: as in ``LocalTraining.train_round``.
    """
    companion = _LearningPeer(local, lesson, site, round_number)
    own = local.train_round(site, round_number, companion)
    peer = TrainedRound(losses=tuple(companion.losses), gradient_norms=tuple(companion.norms))
    return co_trained(own, companion.own_term, peer)


class _LearningPeer:
    def __init__(self, local: LocalTraining, lesson: Lesson, site: str, round_number: int) -> None:
        self.local, self.network = local, lesson.peer_network.train()
        self.stepper = local.new_stepper(self.network, local.optimisation)
        contoured_C = torch.tensor([cases > 0 for cases in local.data_loader.train_cases_with()], device=local.device)
        own_weight_C = direction_weights(lesson.taught_own_C, lesson, local.device)
        peer_weight_C = direction_weights(lesson.taught_peer_C, lesson, local.device)
        self.own_term, self.peer_term = DivergenceTerm(own_weight_C), DivergenceTerm(peer_weight_C * contoured_C)
        self.taught_C, self._needed_C = self.own_term.taught_C, self.own_term.taught_C | self.peer_term.taught_C
        self._region = SharedRegion(local, lesson.dilation_mm, site, round_number)
        self._seed_at = lambda step: local.seed_of(site, round_number, step, "peer")
        self.losses: list[float] = []
        self.norms: list[float] = []

    def join(self, batch: Batch, own_logits_BCXYZ: torch.Tensor, step: int) -> torch.Tensor | None:
        with generators_of_its_own(self.local.device, self._seed_at(step)):
            peer_logits_BCXYZ = self.local.logits(self.network, batch)
        loss = supervised_loss(peer_logits_BCXYZ, batch)
        self.losses.append(float(loss.detach()))
        region_BCXYZ = known_BCXYZ = None
        if self._needed_C.any():
            region_BCXYZ = self._region(own_logits_BCXYZ, peer_logits_BCXYZ, batch, self._needed_C, step)
        if region_BCXYZ is not None:
            known_BCXYZ = region_BCXYZ & batch.contoured_BC[:, :, None, None, None]
        own_term = self.own_term(own_logits_BCXYZ, peer_logits_BCXYZ, region_BCXYZ)
        peer_term = self.peer_term(peer_logits_BCXYZ, own_logits_BCXYZ, known_BCXYZ)
        self.norms.append(self.stepper.step(loss if peer_term is None else loss + peer_term, step))
        # Our own step follows, from logits that both made before either moved.
        return own_term
