"""Rule ``distill``: a round in which a peer's network, frozen, teaches ours.

    L(self) = L_sup(self) + λ/C Σ_c g_c KL_c( p_peer ‖ p_self )

One forward pass more a step. Sources: Hinton et al. 2015, Distilling the Knowledge in a Neural Network, arXiv:1503.02531; from
a site that labels what another does not, ConDistFL, arXiv:2308.04070. Class-wise and by region as in gossip mutual learning,
arXiv:2503.03883.
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
from src.learning.companion import Batch
from src.learning.training import LocalTraining


def train_distilled(local: LocalTraining, lesson: Lesson, site: str, round_number: int) -> CoTrainedRound:
    """One round of training with a frozen peer; where nothing is taught, bit for bit a round alone.

    Args:
        local: the site's training; its network learns.
        lesson: the peer's network and what it teaches; ``taught_peer_C`` is not used.
        site, round_number: as in ``LocalTraining.train_round``.
    """
    companion = _FrozenPeer(local, lesson, site, round_number)
    return co_trained(local.train_round(site, round_number, companion), companion.term, peer=None)


class _FrozenPeer:
    def __init__(self, local: LocalTraining, lesson: Lesson, site: str, round_number: int) -> None:
        self.local, self.network = local, lesson.peer_network.eval()
        self.term = DivergenceTerm(direction_weights(lesson.taught_own_C, lesson, local.device))
        self.taught_C = self.term.taught_C
        self.region = SharedRegion(local, lesson.dilation_mm, site, round_number)
        self.seed = local.seed_of(site, round_number, "peer")

    def join(self, batch: Batch, own_logits_BCXYZ: torch.Tensor, step: int) -> torch.Tensor | None:
        if not self.taught_C.any():
            return None
        with torch.no_grad(), generators_of_its_own(self.local.device, self.seed):
            peer_logits_BCXYZ = self.local.logits(self.network, batch)
        region_BCXYZ = self.region(own_logits_BCXYZ, peer_logits_BCXYZ, batch, self.taught_C, step)
        return self.term(own_logits_BCXYZ, peer_logits_BCXYZ, region_BCXYZ)
