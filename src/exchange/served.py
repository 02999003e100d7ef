"""What a site shows to callers: its newest snapshots and where it stands. Called from the server's threads.

The training loop never hands a live tensor to anybody: it publishes files, and only those are served.
"""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from src.exchange.checks import check_greeting
from src.exchange.ledger import Ledger
from src.exchange.membership import Description, Greeting, Membership, SiteState
from src.exchange.outbox import Outbox
from src.exchange.transport import PeerRefused


class ServedSite:
    """A site as its callers see it; see ``transport.Service``.

    Args:
        site: own name.
        roster: all names.
        membership: own.
        outbox: published snapshots.
        ledger: what was seen of each peer.
        train_cases: training cases per structure.
    """

    def __init__(
        self,
        site: str,
        roster: Sequence[str],
        membership: Membership,
        outbox: Outbox,
        ledger: Ledger,
        train_cases: Mapping[str, int],
    ) -> None:
        self.site, self.roster, self.membership = site, tuple(roster), membership
        self.outbox, self.ledger, self.train_cases = outbox, ledger, dict(train_cases)
        self._lock = threading.Lock()
        self._state, self._round = SiteState.TRAINING, 0
        self._caller_states: dict[str, SiteState] = {}
        self._sent_bytes: Counter[str] = Counter()

    def greeting(self) -> Greeting:
        """What this site says of itself when it calls."""
        with self._lock:
            return Greeting(site=self.site, membership=self.membership, state=self._state)

    def stand(self, state: SiteState, round_number: int) -> None:
        """Says where the site is."""
        with self._lock:
            self._state, self._round = state, round_number

    def caller_states(self) -> dict[str, SiteState]:
        """What each caller last said of itself."""
        with self._lock:
            return dict(self._caller_states)

    def take_sent_bytes(self) -> dict[str, int]:
        """Bytes of snapshots sent by caller, since the last time."""
        with self._lock:
            sent = dict(self._sent_bytes)
            self._sent_bytes.clear()
        return sent

    # Service.

    def greet(self, caller: str, greeting: Greeting, *, wanted_round: int | None) -> Description:
        """See ``transport.Service``."""
        check_greeting(self.membership, self.roster, caller, greeting)
        offered = self.outbox.newest() if wanted_round is None else self.outbox.of_round(wanted_round)
        seen_epoch, seen_sequence = self.ledger.newest(caller)
        with self._lock:
            self._caller_states[caller] = greeting.state
            state, round_number = self._state, self._round
        return Description(
            site=self.site,
            membership=self.membership,
            state=state,
            round=round_number,
            epoch=offered.manifest.epoch if offered else 1,
            sequence=offered.manifest.sequence if offered else 0,
            snapshot_round=offered.manifest.round if offered else 0,
            sha256=offered.sha256 if offered else "",
            size_bytes=offered.size_bytes if offered else 0,
            seen_epoch=seen_epoch,
            seen_sequence=seen_sequence,
            train_cases=self.train_cases,
        )

    def open_snapshot(self, caller: str, greeting: Greeting, sha256: str) -> Path:
        """See ``transport.Service``."""
        check_greeting(self.membership, self.roster, caller, greeting)
        found = self.outbox.by_digest(sha256)
        if found is None:
            raise PeerRefused("gone", "the snapshot is no longer offered; ask for the newest")
        return found.path

    def count_sent(self, caller: str, num_bytes: int) -> None:
        """See ``transport.Service``."""
        with self._lock:
            self._sent_bytes[caller] += num_bytes
