"""How far a peer may teach each structure: a gate per structure and direction, from 0 (not at all) to 1.

For a structure c that this site contours, with n local validation cases of c and τ the gate's width::

    g_c  = clamp( (Dice_c(peer) − Dice_c(self)) · n / (n + 3) / τ, 0, 1 )        both on the local validation cases
    g'_c = clamp( (Dice_c(self) − Dice_c(peer)) · n / (n + 3) / τ, 0, 1 )        what we teach the incoming copy

n / (n + 3) shrinks what few cases seem to say; without any, g_c = 0: nothing shows that the peer is better. For a structure
that this site does not contour, g_c is the peer's reported validation Dice, if at least 5 training and 2 validation cases stand
behind it, and g'_c = 0. What the peer has no training case of, it never teaches: what was only distilled does not count.

Over exchanges a gate is smoothed, s · old + (1 − s) · new, beginning at 0, per structure and direction but not per peer: the
noise is that of our own few cases, the same for every peer, and with rotating peers a memory of each would be out of date
whenever it is asked. A peer whose new value is 0 teaches nothing, whatever the memory holds, so that none lives on what another
has earned; and a peer of which nothing is known leaves the memory as it is.

Source: methods of this project; that early peers without a gate destroy small organs was measured.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from src.evaluation.dice import StructureDice
from src.exchange.manifest import Manifest

_SHRINKAGE_CASES = 3
_FEWEST_TRAIN_CASES = 5
_FEWEST_VALID_CASES = 2


@dataclass(frozen=True, kw_only=True)
class Gates:
    """The gates of one exchange, in channel order.

    Attributes:
        taught_own_C: g, float32, how far the peer teaches us.
        taught_peer_C: g', float32, how far we teach the incoming copy.
    """

    taught_own_C: torch.Tensor
    taught_peer_C: torch.Tensor


class Gate:
    """The gates of a site, smoothed over its exchanges.

    Args:
        structures: in channel order.
        train_cases_C: per channel, the site's training cases in which it is contoured.
        width: τ, lead in Dice that opens a gate fully, above 0.
        smoothing: s, 0 to below 1.
    """

    def __init__(self, structures: Sequence[str], train_cases_C: Sequence[int], *, width: float, smoothing: float) -> None:
        self.structures, self.width, self.smoothing = tuple(structures), width, smoothing
        self._contoured = {name: cases > 0 for name, cases in zip(self.structures, train_cases_C, strict=True)}
        self._own = dict.fromkeys(self.structures, 0.0)
        self._peer = dict.fromkeys(self.structures, 0.0)

    def update(
        self, own_dice: Mapping[str, StructureDice], peer_dice: Mapping[str, StructureDice], manifest: Manifest
    ) -> Gates:
        """The gates towards one peer, which become part of the memory.

        Args:
            own_dice, peer_dice: of our and of the incoming model on the local validation cases; a structure that is not there
                has no case.
            manifest: the peer's.
        """
        own, peer = [], []
        for name in self.structures:
            if self._contoured[name]:
                lead = _lead(own_dice.get(name), peer_dice.get(name))
                teaches_us = None if lead is None or not manifest.train_cases[name] else self._opened(lead)
                taught = None if lead is None else self._opened(-lead)
            else:
                teaches_us, taught = _reported(manifest, name), None
            own.append(self._smooth(self._own, name, teaches_us))
            peer.append(self._smooth(self._peer, name, taught))
        return Gates(taught_own_C=torch.tensor(own), taught_peer_C=torch.tensor(peer))

    def state(self) -> dict[str, dict[str, float]]:
        """The memory, as plain values for a checkpoint."""
        return {"own": dict(self._own), "peer": dict(self._peer)}

    def restore(self, state: Mapping[str, Mapping[str, float]]) -> None:
        """Takes over what ``state`` gave."""
        self._own = {name: float(state["own"][name]) for name in self.structures}
        self._peer = {name: float(state["peer"][name]) for name in self.structures}

    def _opened(self, lead: float) -> float:
        return min(1.0, max(0.0, lead / self.width))

    def _smooth(self, memory: dict[str, float], name: str, new: float | None) -> float:
        if new is None:
            return 0.0
        memory[name] = self.smoothing * memory[name] + (1 - self.smoothing) * new
        return memory[name] if new else 0.0


def _lead(own: StructureDice | None, peer: StructureDice | None) -> float | None:
    """The peer's lead in Dice, shrunk for few cases; None when a model has no case."""
    if own is None or peer is None or math.isnan(own.mean) or math.isnan(peer.mean):
        return None
    cases = min(own.num_scored, peer.num_scored)
    return (peer.mean - own.mean) * cases / (cases + _SHRINKAGE_CASES)


def _reported(manifest: Manifest, name: str) -> float | None:
    """The Dice that a peer reports of itself; None when too little stands behind it."""
    enough = manifest.train_cases[name] >= _FEWEST_TRAIN_CASES and manifest.valid_cases[name] >= _FEWEST_VALID_CASES
    return manifest.valid_dice[name] if enough else None
