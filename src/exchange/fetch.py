"""One peer's model: asked for, checked, spooled to disk, checked again; or the reason why not.

Whatever goes wrong between us and a peer ends here as an outcome, never as an exception: the site trains on.
"""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from src.exchange.checks import check_description, check_manifest, check_weights
from src.exchange.inbox import NOTHING_NEW, RECEIVED, REFUSED, UNREACHABLE, Inbox, Outcome
from src.exchange.learner import PeerModel
from src.exchange.ledger import Ledger, NothingNew
from src.exchange.manifest import Manifest
from src.exchange.membership import Description, Greeting, Membership
from src.exchange.settings import TimingSettings
from src.exchange.snapshot import SnapshotFault, read_snapshot
from src.exchange.spool import has_digest
from src.exchange.tensor_layout import TensorLayout
from src.exchange.transport import PeerRefused, PeerUnreachable, Transport

logger = logging.getLogger(__name__)

# Stands for the number of the closing, which no exchange has.
CLOSING = 2**30
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0


class Fetcher:
    """Asks peers for their models.

    Args:
        membership: own.
        structures: names that a manifest's tables must hold.
        own_tensors: the live tensors; only looked at.
        transport: the line to the peers.
        ledger: what was seen of each peer.
        inbox: where snapshots are spooled.
        greeting: what this site says of itself, at the time of the call.
        timing: how long to wait.
    """

    def __init__(
        self,
        *,
        membership: Membership,
        structures: tuple[str, ...],
        own_tensors: Callable[[], Mapping[str, torch.Tensor]],
        transport: Transport,
        ledger: Ledger,
        inbox: Inbox,
        greeting: Callable[[], Greeting],
        timing: TimingSettings,
    ) -> None:
        self.membership, self.structures, self.own_tensors = membership, structures, own_tensors
        self.transport, self.ledger, self.inbox, self.greeting, self.timing = transport, ledger, inbox, greeting, timing
        self.layout = TensorLayout.of(own_tensors())
        # What was just checked need not be read again: manifests of the present exchange, and the tensors of its last file.
        self._exchange: int | None = None
        self._manifests: dict[str, Manifest] = {}
        self._tensors: dict[str, dict[str, torch.Tensor]] = {}

    def fetch(self, peer: str, weight: float, exchange: int, *, wanted_round: int | None = None) -> Outcome:
        """One peer's newest snapshot, or that of one round.

        Waits at most ``pull_timeout_s`` for the newest, and ``round_wait_s`` more for a round that is not there yet or whose
        peer is gone for the moment.
        """
        began = time.monotonic()
        facts: dict = {"peer": peer, "weight": weight}
        try:
            if wanted_round is None:
                self._fetch_once(peer, exchange, None, facts)
            else:
                self._fetch_round(peer, exchange, wanted_round, facts)
        except NothingNew:
            facts |= {"outcome": NOTHING_NEW, "reason": "seen"}
        except PeerUnreachable as error:
            facts |= {"outcome": UNREACHABLE, "reason": "unreachable", "detail": str(error)}
        except (PeerRefused, SnapshotFault) as error:
            facts |= {"outcome": REFUSED, "reason": error.reason, "detail": str(error)}
            self.inbox.forget_broken(peer)
            logger.warning("%s: its model is not used (%s)", peer, error)
        return Outcome(seconds=round(time.monotonic() - began, 3), **facts)

    def recall(self, exchange: int) -> list[Outcome] | None:
        """What came of an exchange before this site was stopped; None when it must be carried through (again)."""
        outcomes = self.inbox.recall(exchange)
        whole = all(self._is_spooled(self.inbox.folder / entry.file, entry.sha256) for entry in outcomes or () if entry.file)
        return outcomes if whole else None

    def open(self, outcome: Outcome) -> PeerModel:
        """The model behind an outcome that has a file.

        Its first ``read`` gives the tensors that were checked when the file came, if they are still here; any other reads the
        file, and compares it with the digest it came with.
        """
        path = self.inbox.folder / outcome.file
        checked = [self._tensors.pop(outcome.file)] if outcome.file in self._tensors else []
        manifest = self._manifests.get(outcome.file) or self._read_again(path, outcome.sha256)[0]

        def read() -> dict[str, torch.Tensor]:
            return checked.pop() if checked else self._read_again(path, outcome.sha256)[1]

        return PeerModel(weight=outcome.weight, manifest=manifest, read=read)

    def _fetch_round(self, peer: str, exchange: int, wanted_round: int, facts: dict) -> None:
        """Tries again until the round is there: a peer may be restarted at any moment, between its answer and our pull too."""
        deadline, pause_s = time.monotonic() + self.timing.round_wait_s, _FIRST_PAUSE_S
        while True:
            left_s = deadline - time.monotonic()
            try:
                return self._fetch_once(peer, exchange, wanted_round, facts)
            except PeerUnreachable as error:
                if left_s <= 0:
                    raise PeerUnreachable(f"waited {self.timing.round_wait_s:g} s: {error}") from error
            time.sleep(min(pause_s, left_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _fetch_once(self, peer: str, exchange: int, wanted_round: int | None, facts: dict) -> None:
        asked = time.monotonic()
        timeout_s = min(self.timing.connect_timeout_s, self.timing.pull_timeout_s)
        description = self.transport.describe(peer, self.greeting(), wanted_round=wanted_round, timeout_s=timeout_s)
        if wanted_round is not None and not description.sequence:
            raise PeerUnreachable(f"{peer} has no model of round {wanted_round}, it is at round {description.round}")
        facts["state"] = description.state.value
        _check_round(peer, wanted_round, description)
        left_s = max(0.01, self.timing.pull_timeout_s - (time.monotonic() - asked))
        self._pull(peer, exchange, description, left_s, facts)

    def _pull(self, peer: str, exchange: int, description: Description, timeout_s: float, facts: dict) -> None:
        """Spools and checks what is described; notes in ``facts`` what an ``Outcome`` takes."""
        check_description(self.membership, peer, description, self.layout)
        if not description.sequence:
            facts |= {"outcome": NOTHING_NEW, "reason": "nothing_yet"}
            return
        self._check_seen(peer, exchange, description)
        path = self.inbox.folder / f"{peer}-{description.epoch}-{description.sequence}-{description.sha256[:16]}.snapshot"
        if not self._is_spooled(path, description.sha256):
            self._spool(peer, description, path, timeout_s, facts)
        self._forget_checked(exchange)
        try:
            manifest, tensors = self._read(path)
            check_manifest(manifest, description, self.membership, peer)
            check_weights(self.own_tensors(), tensors)
        except (SnapshotFault, PeerRefused):
            path.unlink()
            raise
        if exchange != CLOSING:
            self.ledger.note(peer, description.epoch, description.sequence, description.sha256, exchange)
        self._manifests[path.name], self._tensors[path.name] = manifest, tensors
        facts |= {"outcome": RECEIVED, "file": path.name, "sha256": description.sha256}

    def _forget_checked(self, exchange: int) -> None:
        """One model at most is kept in memory, whoever many are asked."""
        self._tensors.clear()
        if exchange != self._exchange:
            self._exchange = exchange
            self._manifests.clear()

    def _spool(self, peer: str, description: Description, path: Path, timeout_s: float, facts: dict) -> None:
        # One of a peer at a time; or a peer whose line breaks in each exchange fills the disk.
        self.inbox.forget_broken(peer, but=path.name)
        before, already = self.inbox.broken_bytes(path.name), facts.get("received_bytes", 0)
        try:
            facts["received_bytes"] = already + self.transport.pull(
                peer, self.greeting(), description, path, timeout_s=timeout_s
            )
        except (PeerUnreachable, PeerRefused) as error:
            # A snapshot of another digest than described came whole, and is gone already.
            is_whole = isinstance(error, PeerRefused) and error.reason == "digest"
            there = description.size_bytes if is_whole else self.inbox.broken_bytes(path.name)
            facts["received_bytes"] = already + max(0, there - before)
            raise

    def _is_spooled(self, path: Path, sha256: str) -> bool:
        """Whether a snapshot is there, as it came; one that the disk has spoiled since is removed."""
        is_whole = has_digest(path, sha256)
        if not is_whole and path.is_file():
            logger.warning("a model in the inbox is not as it came and is asked for again")
            path.unlink()
        return is_whole

    def _check_seen(self, peer: str, exchange: int, description: Description) -> None:
        if exchange != CLOSING:
            self.ledger.check(peer, description.epoch, description.sequence, description.sha256, exchange)
            return
        # The model of a given round, which may be older than the newest that was seen; but not of an epoch that is over.
        epoch, _ = self.ledger.newest(peer)
        if description.epoch < epoch:
            raise PeerRefused("replay", f"{peer} offers a model of epoch {description.epoch}, {epoch} was seen")

    def _read(self, path: Path) -> tuple[Manifest, dict[str, torch.Tensor]]:
        """A file whose digest was compared just now: by the transport, or by ``has_digest``."""
        return read_snapshot(path, self.layout, self.structures, compare=False)

    def _read_again(self, path: Path, sha256: str) -> tuple[Manifest, dict[str, torch.Tensor]]:
        if not has_digest(path, sha256):
            raise SnapshotFault("digest", "a model in the inbox is not as it came: damaged on this site's disk")
        return self._read(path)


def _check_round(peer: str, wanted_round: int | None, description: Description) -> None:
    if wanted_round is not None and description.snapshot_round != wanted_round:
        message = f"{peer} was asked for its model of round {wanted_round}, it offers {description.snapshot_round!r:.40}"
        raise PeerRefused("round", message)
