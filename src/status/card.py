"""What is known of one site, whoever said it; and what a site may not say."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from src.exchange.membership import Description, Membership
from src.exchange.transport import PeerRefused

ANSWERED, SILENT, REFUSED, NOT_CALLED, NOT_RUNNING = "answered", "unreachable", "refused", "not called", "not running"
# Known without an answer of its own, as of ``seen_unix_s``.
IN_FOLDER, BROUGHT = "in the folder", "brought"


@dataclass(frozen=True, kw_only=True)
class Card:
    """One row of the table; what is None or empty is not known.

    Attributes:
        site: its name.
        answer: ``answered``; ``unreachable``; ``refused`` (what it answered cannot be used, or it turned us away); ``not
            called`` (it has no address here); ``not running`` (this site itself, known from its state folder); ``in the
            folder`` (its card there) and ``brought`` (the snapshot it brought here), both as it was at ``seen_unix_s``.
        fault: why there is no answer, in a sentence.
        seen_unix_s: when it last gave a sign of life, now if it answers; None if it never did.
        state: as in ``SiteState``.
        round: rounds of training done.
        last_peer, last_outcome, last_age_s: of its last exchange; seconds.
        snapshot_age_s: seconds.
        train_cases, valid_cases: per structure.
        valid_dice: per structure that has a validation case.
        sent_bytes, received_bytes: of snapshots; since its start, or over the whole run when it is not running.
        code_version: of openfl-oar.
    """

    site: str
    answer: str
    fault: str = ""
    seen_unix_s: float | None = None
    state: str | None = None
    round: int | None = None
    last_peer: str | None = None
    last_outcome: str | None = None
    last_age_s: float | None = None
    snapshot_age_s: float | None = None
    train_cases: dict[str, int] = field(default_factory=dict)
    valid_cases: dict[str, int] = field(default_factory=dict)
    valid_dice: dict[str, float] = field(default_factory=dict)
    sent_bytes: int | None = None
    received_bytes: int | None = None
    code_version: str = ""

    @property
    def mean_dice(self) -> float | None:
        """Over structures, each counting once; None when there is none."""
        return sum(self.valid_dice.values()) / len(self.valid_dice) if self.valid_dice else None

    @property
    def contoured(self) -> list[str]:
        """Structures with a training case."""
        return [name for name, cases in self.train_cases.items() if cases]


def card_of(
    description: Description,
    *,
    membership: Membership,
    roster: Sequence[str],
    structures: Sequence[str],
    rounds: int,
    now_s: float,
) -> Card:
    """The card of a site that answered.

    Args:
        description: with entries that can be handled, see ``messages.read_description``.
        membership, roster, structures, rounds: of the plan.
        now_s: this machine's clock, seconds since 1970.

    Raises:
        PeerRefused: ``federation``, or ``range``: it speaks of structures, sites or rounds that the plan does not have.
    """
    _check(description, membership, roster, structures, rounds)
    last = description.last_exchange
    return Card(
        site=description.site,
        answer=ANSWERED,
        seen_unix_s=now_s,
        state=description.state.value,
        round=description.round,
        last_peer=last.peer if last else None,
        last_outcome=last.outcome if last else None,
        last_age_s=last.age_s if last else None,
        snapshot_age_s=description.snapshot_age_s,
        train_cases=description.train_cases,
        valid_cases=description.valid_cases,
        valid_dice=description.valid_dice,
        sent_bytes=description.sent_bytes,
        received_bytes=description.received_bytes,
        code_version=description.code_version,
    )


def _check(
    description: Description, membership: Membership, roster: Sequence[str], structures: Sequence[str], rounds: int
) -> None:
    site = description.site
    if differences := membership.differences(description.membership):
        raise PeerRefused("federation", f"{site} is of another federation: {'; '.join(differences):.300}")
    for name in ("train_cases", "valid_cases", "valid_dice"):
        if unknown := sorted(set(getattr(description, name)) - set(structures)):
            raise PeerRefused("range", f"{site} has {name} of {unknown[0]!r:.60}, which is no structure of the plan")
    if description.round > rounds:
        raise PeerRefused("range", f"{site} says it has done {description.round} rounds, the plan has {rounds}")
    last = description.last_exchange
    if last is not None and (last.peer == site or last.peer not in roster):
        raise PeerRefused("range", f"{site} says it exchanged with {last.peer!r:.60}, which is none of its peers")
