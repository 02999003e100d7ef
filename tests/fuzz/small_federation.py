"""The federation whose members the fuzzed bytes pretend to be."""

import torch

from src.exchange.membership import Description, Greeting, Membership, SiteState
from src.exchange.tensor_layout import TensorLayout

ROSTER, STRUCTURES = ("site_a", "site_b", "site_c"), ("Brainstem", "Parotid_L")
MEMBERSHIP = Membership(
    federation_id="gossip", run_id="1", roster_digest="r" * 64, architecture_hash="a" * 64, initial_digest="i" * 64
)
LAYOUT = TensorLayout.of({"weight": torch.zeros(6)})


def described(site: str, **changes) -> Description:
    """A site in the middle of its run."""
    facts = dict(site=site, membership=MEMBERSHIP, state=SiteState.TRAINING, round=3, epoch=1, sequence=4, snapshot_round=3)
    offer = dict(sha256="c" * 64, size_bytes=300, train_cases={"Brainstem": 4})
    return Description(**{**facts, **offer, **changes})


def greeting_of(site: str) -> Greeting:
    """What it says with every call."""
    return Greeting(site=site, membership=MEMBERSHIP, state=SiteState.TRAINING)
