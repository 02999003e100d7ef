"""What a site shows to callers: its newest snapshots and where it stands. Called from the server's threads.

The training loop never hands a live tensor to anybody: it publishes files, and only those are served.
"""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from src.exchange.checks import check_greeting
from src.exchange.ledger import Ledger
from src.exchange.membership import Description, Greeting, LastExchange, Membership, SiteState
from src.exchange.outbox import Outbox
from src.exchange.reception import Reception, check_may_bring
from src.exchange.snapshot import SnapshotFile
from src.exchange.transport import Arriving, PeerRefused


class ServedSite:
    """A site as its callers see it; see ``transport.Service``.

    Args:
        site: own name.
        roster: all names.
        membership: own.
        outbox: published snapshots.
        ledger: what was seen of each peer.
        train_cases: training cases per structure.
        code_version: of openfl-oar; empty says nothing of it.
    """

    def __init__(
        self,
        site: str,
        roster: Sequence[str],
        membership: Membership,
        outbox: Outbox,
        ledger: Ledger,
        train_cases: Mapping[str, int],
        code_version: str = "",
    ) -> None:
        self.site, self.roster, self.membership = site, tuple(roster), membership
        self.outbox, self.ledger, self.train_cases = outbox, ledger, dict(train_cases)
        self.code_version = code_version
        # Who lets in what outbound sites bring; None where the plan has none.
        self.reception: Reception | None = None
        self._lock = threading.Lock()
        self._state, self._round = SiteState.TRAINING, 0
        self._caller_states: dict[str, SiteState] = {}
        self._callers: set[str] = set()
        self._told_closed: set[str] = set()
        self._sent_bytes: Counter[str] = Counter()
        self._all_sent_bytes = self._all_received_bytes = 0
        self._last_exchange: tuple[str, str, float] | None = None
        # Digest of the newest snapshot, and when it was published by this process's monotonic clock.
        self._newest_since: tuple[str, float] | None = None

    def greeting(self) -> Greeting:
        """What this site says of itself when it calls."""
        with self._lock:
            return Greeting(site=self.site, membership=self.membership, state=self._state)

    def stand(self, state: SiteState, round_number: int) -> None:
        """Says where the site is."""
        with self._lock:
            self._state, self._round = state, round_number
        self._age_s(self.outbox.newest())

    def note_exchange(self, peer: str, outcome: str, received_bytes: int) -> None:
        """Says what came of asking a peer just now."""
        with self._lock:
            self._last_exchange = peer, outcome, time.monotonic()
            self._all_received_bytes += received_bytes

    def caller_states(self) -> dict[str, SiteState]:
        """What each caller last said of itself."""
        with self._lock:
            return dict(self._caller_states)

    def told_closed(self) -> set[str]:
        """Sites that called in their own run and were answered that this one is closed."""
        with self._lock:
            return set(self._told_closed)

    def take_callers(self) -> set[str]:
        """Sites that called in their own run, since the last time."""
        with self._lock:
            callers, self._callers = self._callers, set()
        return callers

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
        if caller == self.site and not greeting.is_question:
            raise PeerRefused("name", f"{caller} is this site itself, whose own process may only ask how things stand")
        offered = self.outbox.newest() if wanted_round is None else self.outbox.of_round(wanted_round)
        seen_epoch, seen_sequence = self.ledger.newest(caller)
        with self._lock:
            if not greeting.is_question:
                self._caller_states[caller] = greeting.state
                self._callers.add(caller)
            state, round_number = self._state, self._round
            if state is SiteState.CLOSED and not greeting.is_question:
                self._told_closed.add(caller)
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
            **self._for_people(),
        )

    def open_snapshot(self, caller: str, greeting: Greeting, sha256: str) -> Path:
        """See ``transport.Service``."""
        check_greeting(self.membership, self.roster, caller, greeting)
        if caller == self.site:
            raise PeerRefused("name", f"{caller} is this site itself, which has no use for its own snapshot")
        found = self.outbox.by_digest(sha256)
        if found is None:
            raise PeerRefused("gone", "the snapshot is no longer offered; ask for the newest")
        return found.path

    def receive(self, caller: str, greeting: Greeting, description: Description) -> Arriving:
        """See ``transport.Service``."""
        if self.reception is None:
            check_may_bring(caller, ())
        arrival = self.reception.receive(caller, greeting, description)
        with self._lock:
            self._caller_states[caller] = greeting.state
            self._callers.add(caller)
        return arrival

    def count_sent(self, caller: str, num_bytes: int) -> None:
        """See ``transport.Service``."""
        with self._lock:
            self._sent_bytes[caller] += num_bytes
            self._all_sent_bytes += num_bytes

    def _for_people(self) -> dict:
        """The entries of a description that decide nothing."""
        newest = self.outbox.newest()
        valid_dice = newest.manifest.valid_dice if newest else {}
        age_s = self._age_s(newest)
        with self._lock:
            facts = {"sent_bytes": self._all_sent_bytes, "received_bytes": self._all_received_bytes}
            last = self._last_exchange
        if last is not None:
            facts["last_exchange"] = LastExchange(peer=last[0], outcome=last[1], age_s=time.monotonic() - last[2])
        return {
            **facts,
            "valid_dice": {name: value for name, value in valid_dice.items() if value is not None},
            "valid_cases": dict(newest.manifest.valid_cases) if newest else {},
            "snapshot_age_s": age_s,
            "code_version": self.code_version,
            "unix_time_s": max(0.0, time.time()),
        }

    def _age_s(self, newest: SnapshotFile | None) -> float | None:
        """Seconds since the newest snapshot was published; monotonic from the first look at it, the file's date before that."""
        if newest is None:
            return None
        with self._lock:
            known = self._newest_since
        if known is None or known[0] != newest.sha256:
            try:
                before_s = max(0.0, time.time() - newest.path.stat().st_mtime)
            except FileNotFoundError:  # replaced by a newer one in between
                before_s = 0.0
            known = newest.sha256, time.monotonic() - before_s
            with self._lock:
                self._newest_since = known
        return time.monotonic() - known[1]
