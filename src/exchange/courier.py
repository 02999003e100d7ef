"""Brings an outbound site's snapshots to the direct ones, which cannot fetch them: those of them that the schedule names us to.

As with a site that is called, nobody waits for anybody: a peer that is not there is brought the newest after the next round.
Only where one particular round is waited for, as in a chain or in lock-step, it is tried again for ``round_wait_s``.
"""

import logging
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from src.exchange.checks import check_description
from src.exchange.membership import Description
from src.exchange.snapshot import SnapshotFile
from src.exchange.transport import PeerRefused, PeerUnreachable

if TYPE_CHECKING:
    from src.exchange.gossip import GossipSite

logger = logging.getLogger(__name__)

_PAUSE_S = 0.5
# Nothing that the next try could change.
_FOR_GOOD = frozenset({"size", "digest", "replay", "reachability"})


class Courier:
    """One site's; does nothing at a site whose peers can call it.

    Args:
        run: the site.
    """

    def __init__(self, run: "GossipSite") -> None:
        self._run = run
        self.peers = run.exchange.brings_to(run.roster, run.site) if run.transport is not None else ()
        self._shared_rounds = run.rounds - run.exchange.local_rounds_at_end
        self._brought: dict[str, str] = {}
        self._owed: set[str] = set()
        self._noted: dict[str, tuple] = {}

    def after_round(self) -> None:
        """Brings the newest to whoever the schedule names this site to now; what the closing is about to everybody."""
        run = self._run
        newest = run.outbox.newest() if self.peers else None
        if newest is None or run.round > self._shared_rounds:
            return
        self._owed |= set(self.peers) if run.round == self._shared_rounds else self._takers(run.round)
        deadline = time.monotonic() + (run.timing.round_wait_s if run.waits_for_rounds else 0)
        while not self._bring(newest) and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)

    def bring_final(self, but: Collection[str] = ()) -> bool:
        """Brings what the closing is about to those who have not got it, ``but`` some; whether all of them have it now."""
        final = self._run.outbox.of_round(self._shared_rounds) if self.peers else None
        if final is None:
            return True
        self._owed = {peer for peer in self.peers if peer not in but and self._brought.get(peer) != final.sha256}
        return self._bring(final)

    def _takers(self, round_number: int) -> set[str]:
        """The peers that ask for the snapshot of a round: before their next one, and in a chain also before this one."""
        run, takers = self._run, set()
        for lead in (0, 1):
            number = run.exchange.exchange_at(round_number - lead, run.rounds)
            if number is None:
                continue
            for peer in self.peers:
                wanted = run.exchange.links(run.roster, peer, number)
                takers |= {peer for link in wanted if link.peer == run.site and (link.round_lead or 0) == lead}
        return takers

    def _bring(self, snapshot: SnapshotFile) -> bool:
        """To all who are owed one; whether nobody is any more."""
        for peer in sorted(self._owed):
            began = time.monotonic()
            facts = {"outcome": "brought"}
            try:
                self._push(peer, snapshot)
            except PeerUnreachable as error:
                facts = {"outcome": "unreachable", "reason": "unreachable", "detail": str(error)}
            except PeerRefused as error:
                facts = {"outcome": "refused", "reason": error.reason, "detail": str(error)}
            if facts["outcome"] == "brought" or facts.get("reason") in _FOR_GOOD:
                self._owed.discard(peer)
                self._brought[peer] = snapshot.sha256
            self._note(peer, snapshot, facts, time.monotonic() - began)
        return not self._owed

    def _note(self, peer: str, snapshot: SnapshotFile, facts: dict, seconds: float) -> None:
        """Records what came of a try; of many that fail for the same reason, one."""
        # Nothing is received: the bytes of a push count where it arrives.
        self._run.served.note_exchange(peer, facts["outcome"], 0)
        noted = (snapshot.sha256, facts["outcome"], facts.get("reason"))
        if self._noted.get(peer) == noted:
            return
        self._noted[peer] = noted
        if facts["outcome"] == "refused":
            logger.warning("%s does not take this site's model (%s)", peer, facts["detail"])
        self._run.log("push", peer=peer, seconds=round(seconds, 3), **facts)

    def _push(self, peer: str, snapshot: SnapshotFile) -> None:
        run, timing = self._run, self._run.timing
        began, greeting = time.monotonic(), run.served.greeting()
        timeout_s = min(timing.connect_timeout_s, timing.pull_timeout_s)
        # A model is shown only to who would be answered if it called.
        answer = run.transport.describe(peer, greeting, wanted_round=None, timeout_s=timeout_s)
        check_description(run.membership, peer, answer, run.fetcher.layout)
        left_s = max(0.01, timing.pull_timeout_s - (time.monotonic() - began))
        run.transport.push(
            peer,
            greeting,
            self._announced(snapshot),
            snapshot.path,
            timeout_s=left_s,
            count_sent=lambda num_bytes: run.served.count_sent(peer, num_bytes),
        )

    def _announced(self, snapshot: SnapshotFile) -> Description:
        manifest, served = snapshot.manifest, self._run.served
        return Description(
            site=manifest.site,
            membership=self._run.membership,
            state=served.greeting().state,
            round=self._run.round,
            epoch=manifest.epoch,
            sequence=manifest.sequence,
            snapshot_round=manifest.round,
            sha256=snapshot.sha256,
            size_bytes=snapshot.size_bytes,
            train_cases=dict(manifest.train_cases),
        )
