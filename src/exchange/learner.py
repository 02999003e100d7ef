"""What the gossip loop asks of whoever owns the model; the loop itself knows neither networks nor patients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from src.exchange.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class PeerModel:
    """A peer's checked snapshot, spooled to disk.

    Attributes:
        weight: share of the peer in a full average of this exchange, above 0, up to 1.
        manifest: its facts.
        read: gives its checked tensors by name, of the dtype and shape of our own, in memory of their own.
            A function, so that a whole federation's models need not be in memory at once.
    """

    weight: float
    manifest: Manifest
    read: Callable[[], dict[str, torch.Tensor]]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a site says of its model in its manifest; all by structure, as there."""

    train_cases: dict[str, int]
    valid_cases: dict[str, int]
    valid_dice: dict[str, float | None]
    row_cases: dict[str, float]


class Learner(Protocol):
    """One site's model and what it can learn from."""

    def tensors(self) -> Mapping[str, torch.Tensor]:
        """The live tensors that are exchanged, each storage once."""

    def standing(self) -> Standing:
        """Of the present model."""

    def learn(self, round_number: int, peers: Sequence[PeerModel]) -> dict:
        """One round of training, with what arrived; alone when ``peers`` is empty.

        A function of the model, the optimiser, seed, site, round and peers, so that a restarted round repeats bit for bit.

        Returns:
            Facts for the log, as plain values.
        """

    def validate(self, round_number: int) -> dict:
        """Judges the present model on the site's validation cases; returns facts for the log."""

    def finish(self, round_number: int, finals: Sequence[PeerModel], chain_end: str | None) -> list[dict]:
        """Ends the run with the peers' final models: the completion phase and the consensus model.

        Args:
            round_number: rounds done.
            finals: of the sites present, by name, ours included as the others see it, so that all compute the same consensus.
            chain_end: the site whose model is the federation's, when the schedule is a chain; None makes an average.

        Returns:
            Facts for the log, one entry per event, each with its ``phase``.
        """

    def state(self) -> tuple[dict[str, torch.Tensor], dict]:
        """All that the next round depends on: tensors by name, and plain values that JSON can hold."""

    def restore(self, tensors: Mapping[str, torch.Tensor], facts: dict) -> None:
        """Takes over what ``state`` gave."""
