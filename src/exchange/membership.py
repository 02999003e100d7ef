"""Who may exchange with whom: the facts that must be equal at both ends, and what a site says of itself.

Plain values only: a transport turns them into its own messages and back, and nobody believes them before ``checks`` has looked.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import Enum

PROTOCOL_VERSION = 1


class SiteState(str, Enum):
    """Where a site is in its run."""

    TRAINING = "training"
    FINISHED = "finished"  # its last round is done, its final snapshot is published
    CLOSED = "closed"  # it has all it needs of the others


@dataclass(frozen=True, kw_only=True)
class Membership:
    """What two sites must agree on before a byte of a model is read.

    Attributes:
        protocol_version: of the messages.
        federation_id: the plan's name and hash.
        run_id: the plan's ``run_id``; another run of the same plan is another run.
        roster_digest: of the sorted site names, see ``roster_digest``.
        architecture_hash: of network, ordered structures, preprocessing and structure table.
        initial_digest: SHA-256 of the weights all sites began with.
    """

    protocol_version: int = PROTOCOL_VERSION
    federation_id: str
    run_id: str
    roster_digest: str
    architecture_hash: str
    initial_digest: str

    def differences(self, other: "Membership") -> list[str]:
        """What keeps two sites from exchanging, a few words each; empty when nothing does."""
        return [
            f"{entry.name} is {getattr(other, entry.name)}, expected {getattr(self, entry.name)}"
            for entry in fields(self)
            if getattr(self, entry.name) != getattr(other, entry.name)
        ]


@dataclass(frozen=True, kw_only=True)
class Greeting:
    """What a caller says of itself with every call.

    Attributes:
        site: its name; must be the certified one.
        membership: see ``Membership``.
        state: where it is in its run.
        is_question: whether a person asks, beside the run or without one; nobody then remembers ``state``, which may be out of
            date by the time it arrives: a site that is known to be closed must not seem to train again.
    """

    site: str
    membership: Membership
    state: SiteState
    is_question: bool = False


@dataclass(frozen=True, kw_only=True)
class LastExchange:
    """What came of the last time a site asked a peer for its model.

    Attributes:
        peer: that was asked.
        outcome: as in ``inbox.Outcome``.
        age_s: seconds since, by the clock of the site that asked.
    """

    peer: str
    outcome: str
    age_s: float


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a site answers to ``describe``: itself, and the snapshot it offers.

    Attributes:
        site, membership, state: as in ``Greeting``.
        round: rounds of training done.
        epoch, sequence: of the offered snapshot; sequence 0 means that there is none (yet), or none of the wanted round.
        snapshot_round: rounds of training behind the offered snapshot.
        sha256: of the offered snapshot's bytes, in hex; empty when there is none.
        size_bytes: of the offered snapshot; 0 when there is none.
        seen_epoch, seen_sequence: the newest this site has seen of the caller, 0 when nothing.
        train_cases: training cases per structure, by name.
        valid_dice: Dice of the newest snapshot on the site's own validation cases, per structure; none where it has no case.
        valid_cases: validation cases behind each, per structure.
        last_exchange: None when there was none since the site was started.
        snapshot_age_s: seconds since the newest snapshot was published; None when there is none.
        sent_bytes, received_bytes: of snapshots, since the site was started.
        code_version: of openfl-oar; empty when the site does not say.
        unix_time_s: the site's clock, seconds since 1970 UTC; for people who compare clocks, it decides nothing.

    What follows ``train_cases`` is for people; a site of an older version says none of it (empty tables, None).
    """

    site: str
    membership: Membership
    state: SiteState
    round: int
    epoch: int
    sequence: int
    snapshot_round: int
    sha256: str
    size_bytes: int
    seen_epoch: int = 0
    seen_sequence: int = 0
    train_cases: dict[str, int] = field(default_factory=dict)
    valid_dice: dict[str, float] = field(default_factory=dict)
    valid_cases: dict[str, int] = field(default_factory=dict)
    last_exchange: LastExchange | None = None
    snapshot_age_s: float | None = None
    sent_bytes: int | None = None
    received_bytes: int | None = None
    code_version: str = ""
    unix_time_s: float | None = None


def roster_digest(roster: Sequence[str]) -> str:
    """SHA-256 in hex over the sorted names, one a line."""
    return hashlib.sha256("\n".join(sorted(roster)).encode()).hexdigest()
