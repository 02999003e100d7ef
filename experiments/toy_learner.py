"""A learner without patients: for measuring and breaking the exchange itself.

Its model is a few random tensors. A round pulls them towards a target of the site's own and adds noise that follows from site
and round alone; a peer's model is averaged in before. Everything that a real learner must keep for a restart, it keeps too.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from zlib import crc32

import torch

from src.exchange.gossip import GossipSite
from src.exchange.learner import PeerModel, Standing
from src.exchange.membership import Membership, roster_digest
from src.exchange.settings import ExchangeSettings, TimingSettings
from src.exchange.transport import Transport

STRUCTURES = ("Organ_A", "Organ_B")


class ToyLearner:
    """See ``src.exchange.learner.Learner``.

    Args:
        site: its name, which its target follows from.
        values: of the model.
        pull: share of the way to the target in a round; 0 never learns.
        noise: of a round.
        round_s: how long a round takes.
        spread: how far first models of different sites lie apart; 0 begins with the same one.
    """

    def __init__(
        self, site: str, *, values: int = 1000, pull: float = 0.2, noise: float = 0.1, round_s: float = 0.0, spread: float = 0.0
    ) -> None:
        self.site, self.pull, self.noise, self.round_s = site, pull, noise, round_s
        self.weights = _draw(values, "first") + spread * _draw(values, site, "spread")
        self.target = _draw(values, site, "target")
        self.momentum = torch.zeros(values)
        self.finals: list[str] = []

    def tensors(self) -> Mapping[str, torch.Tensor]:
        """The model: one large tensor and a small one."""
        return {"large": self.weights[:-3], "small": self.weights[-3:]}

    def standing(self) -> Standing:
        """Four cases of everything."""
        return Standing(
            train_cases=dict.fromkeys(STRUCTURES, 4),
            valid_cases=dict.fromkeys(STRUCTURES, 1),
            valid_dice=dict.fromkeys(STRUCTURES, 0.5),
            row_cases=dict.fromkeys(STRUCTURES, 4.0),
        )

    def learn(self, round_number: int, peers: Sequence[PeerModel]) -> dict:
        """Averages, then moves."""
        time.sleep(self.round_s)
        own_share = 1 - math.fsum(peer.weight for peer in peers)
        mean = own_share * self.weights
        for peer in peers:
            tensors = peer.read()
            mean += peer.weight * torch.cat([tensors["large"], tensors["small"]])
        self.momentum.mul_(0.5).add_(self.target - mean)
        self.weights.copy_(mean + self.pull * self.momentum + self.noise * _draw(len(mean), self.site, round_number))
        return {"loss": float((self.weights - self.target).square().mean())}

    def validate(self, round_number: int) -> dict:
        """Nothing to judge."""
        return {"mean_dice": math.nan, "dice": {}, "cases": {}}

    def finish(self, round_number: int, finals: Sequence[PeerModel], chain_end: str | None) -> list[dict]:
        """Notes whose final models came."""
        self.finals = [model.manifest.site for model in finals]
        return [{"phase": "consensus", "sites": self.finals}]

    def state(self) -> tuple[dict[str, torch.Tensor], dict]:
        """Model and momentum."""
        return {"weights": self.weights, "momentum": self.momentum}, {}

    def restore(self, tensors: Mapping[str, torch.Tensor], facts: dict) -> None:
        """Takes over what ``state`` gave."""
        self.weights.copy_(tensors["weights"])
        self.momentum.copy_(tensors["momentum"])


def toy_site(
    learner: ToyLearner,
    roster: Sequence[str],
    transport: Transport | None,
    state_folder,
    log: Callable[..., None],
    *,
    rounds: int,
    exchange: ExchangeSettings,
    timing: TimingSettings,
    **changes,
) -> GossipSite:
    """A ``GossipSite`` around a toy learner.

    Args:
        changes: of the membership, such as ``run_id``; ``epoch`` of the site.
    """
    epoch = changes.pop("epoch", 1)
    membership = {
        "federation_id": "toy",
        "run_id": "1",
        "roster_digest": roster_digest(roster),
        "architecture_hash": "toy",
        "initial_digest": "toy",
        **changes,
    }
    return GossipSite(
        site=learner.site,
        roster=roster,
        rounds=rounds,
        epoch=epoch,
        exchange=exchange,
        timing=timing,
        membership=Membership(**membership),
        learner=learner,
        transport=transport,
        state_folder=state_folder,
        log=log,
        code_version="toy",
    )


def exchange_settings(schedule: str = "one_peer_exponential", **changes) -> ExchangeSettings:
    """Settings in which a round follows the other: an exchange before each but the first."""
    settings = {
        "schedule": schedule,
        "peers_per_exchange": 1,
        "warm_up_rounds": 0 if schedule == "chain" else 1,
        "exchange_every": 1,
        "local_rounds_at_end": 0,
        "wire_dtype": "float32",
        "lock_step": False,
        "seed": 0,
    }
    return ExchangeSettings(**{**settings, **changes})


def timing_settings(**changes) -> TimingSettings:
    """Short patience."""
    settings = dict(connect_timeout_s=5, pull_timeout_s=10, round_wait_s=30, closing_wait_s=20, serve_after_s=20)
    return TimingSettings(**{**settings, **changes})


def _draw(values: int, *what: object) -> torch.Tensor:
    """Normal numbers that follow from their name alone."""
    generator = torch.Generator().manual_seed(crc32("/".join(map(str, what)).encode()))
    return torch.randn(values, generator=generator)
