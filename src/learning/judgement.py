"""Judges a peer's model on our own validation patients, before anything of it is averaged or adopted.

A snapshot of plausible size and norm may still be rubbish: random weights of the right norm, or channels in another order. Only
patients show that. The same look gives the Dice that the gate needs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import nn

from src.dataloader import CTLoader
from src.evaluation.dice import StructureDice
from src.evaluation.validation import validate_cases
from src.exchange.learner import PeerModel
from src.model.inference import Predictor
from src.model.state import load_network_state

# Below this mean Dice nobody can tell noise from another beginner. Above it noise had less than this share of the judge's in 24
# of 26 verdicts, and in all from a Dice of 0.15 on; honest peers did in 10 of 635, and in none from 0.2 on (see
# docs/reliability.md). With the tolerance alone a site takes noise until its own Dice exceeds it, and with noise it never does.
BEGINNER_DICE, SMALLEST_SHARE = 0.05, 0.25


@dataclass(frozen=True, kw_only=True)
class JudgedPeer:
    """A peer's model and what our patients say of it.

    Attributes:
        model: as it arrived.
        tensors: its weights.
        rows_C: cases behind each of its output rows.
        dice: per structure, on our validation cases.
        own_mean, peer_mean: Dice over the structures that both have; NaN when there is none. Then nothing is judged, and the
            peer is acceptable only where we have no Dice of our own to hold against it.
        acceptable: whether it may be averaged or adopted.
    """

    model: PeerModel
    tensors: dict[str, np.ndarray]
    rows_C: np.ndarray
    dice: dict[str, StructureDice]
    own_mean: float
    peer_mean: float
    acceptable: bool

    @property
    def site(self) -> str:
        """Whose model it is."""
        return self.model.manifest.site


class PeerJudge:
    """Looks at peers' models with one spare network.

    Args:
        spare: a network of the plan's architecture; holds the weights of the peer looked at last.
        predictor: of the plan.
        data_loader: the site's.
        tolerance: largest lead of our mean Dice over an acceptable peer's, which must also have a quarter of ours once ours is
            no beginner's; from 1 on every peer is acceptable.
        gated: whether a gate needs the peer's Dice even where every peer is acceptable.
    """

    def __init__(self, spare: nn.Module, predictor: Predictor, data_loader: CTLoader, *, tolerance: float, gated: bool) -> None:
        self.spare, self.data_loader, self.tolerance = spare, data_loader, tolerance
        self._validates = gated or tolerance < 1
        self._predictor = predictor.applied_to(spare)

    def look(self, model: PeerModel, own_dice: Mapping[str, StructureDice]) -> JudgedPeer:
        """Reads a peer's model and validates it here.

        Args:
            model: the peer's.
            own_dice: of our present model; empty before the first validation, and then nothing is judged.
        """
        tensors = {name: tensor.numpy() for name, tensor in model.read().items()}
        load_network_state(self.spare, tensors, origin=model.manifest.site)
        rows_C = np.array([model.manifest.row_cases[name] for name in self.data_loader.structures])
        known = [name for name, cases in zip(self.data_loader.structures, rows_C, strict=True) if cases > 0]
        dice = validate_cases(self._predictor, self.data_loader, known) if self._validates else {}
        both = [name for name, entry in dice.items() if entry.num_scored and name in own_dice and own_dice[name].num_scored]
        own_mean, peer_mean = _mean([own_dice[name] for name in both]), _mean([dice[name] for name in both])
        return JudgedPeer(
            model=model,
            tensors=tensors,
            rows_C=rows_C,
            dice=dice,
            own_mean=own_mean,
            peer_mean=peer_mean,
            acceptable=self._is_acceptable(own_dice, own_mean, peer_mean),
        )

    def _is_acceptable(self, own_dice: Mapping[str, StructureDice], own_mean: float, peer_mean: float) -> bool:
        if self.tolerance >= 1 or not any(entry.num_scored for entry in own_dice.values()):
            return True
        # A peer that has nothing of ours cannot be judged; were it taken, saying so would be the way in for rubbish.
        if math.isnan(peer_mean):
            return False
        enough = SMALLEST_SHARE * own_mean if own_mean >= BEGINNER_DICE else 0.0
        return peer_mean >= max(own_mean - self.tolerance, enough)


def _mean(entries: list[StructureDice]) -> float:
    return math.fsum(entry.mean for entry in entries) / len(entries) if entries else math.nan
