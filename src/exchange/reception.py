"""Who may bring a snapshot, and which: the same questions as to a site that is called, before a byte of it is read."""

from collections.abc import Collection, Sequence

from src.exchange.brought import Arrival, BroughtSnapshots
from src.exchange.checks import check_description, check_greeting
from src.exchange.ledger import Ledger
from src.exchange.membership import Description, Greeting, Membership
from src.exchange.tensor_layout import TensorLayout
from src.exchange.transport import PeerRefused, check_offer


class Reception:
    """Lets in what outbound sites bring; called from the server's threads.

    Args:
        membership: own.
        roster: all names.
        may_bring: the outbound sites of the plan.
        ledger: what was seen of each peer.
        layout: of our own model; what is larger than it can be is not let in.
        snapshots: where they go.
    """

    def __init__(
        self,
        *,
        membership: Membership,
        roster: Sequence[str],
        may_bring: Collection[str],
        ledger: Ledger,
        layout: TensorLayout,
        snapshots: BroughtSnapshots,
    ) -> None:
        self._membership, self._roster, self._may_bring = membership, tuple(roster), frozenset(may_bring)
        self._ledger, self._layout, self._snapshots = ledger, layout, snapshots

    def receive(self, caller: str, greeting: Greeting, description: Description) -> Arrival:
        """See ``transport.Service``."""
        check_greeting(self._membership, self._roster, caller, greeting)
        check_may_bring(caller, self._may_bring)
        check_description(self._membership, caller, description, self._layout)
        check_offer(caller, description)
        found, seen = (description.epoch, description.sequence), self._ledger.newest(caller)
        if found < seen:
            raise PeerRefused("replay", f"{caller} brings epoch and sequence {found}, {seen} was seen")
        return self._snapshots.receive(caller, description)


def check_may_bring(caller: str, may_bring: Collection[str]) -> None:
    """Whether the plan says of a caller that it brings its snapshots.

    Raises:
        PeerRefused: ``reachability``.
    """
    if caller not in may_bring:
        raise PeerRefused(
            "reachability",
            f"{caller} brings its snapshot, and is not outbound in this site's plan; see exchange.reachability, "
            "and use the same plan at every site",
        )
