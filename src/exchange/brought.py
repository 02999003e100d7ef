"""Snapshots that outbound sites brought here, and a transport that takes them from there.

Whoever asks for one does not see how it came, and checks it as any other.
"""

import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from src.exchange.membership import Description, Greeting, Membership, SiteState
from src.exchange.spool import Spool
from src.exchange.transport import PeerRefused, PeerUnreachable, check_offer

logger = logging.getLogger(__name__)

_NAME = re.compile(r"epoch(\d{1,10})-sequence(\d{1,10})-round(\d{1,10})-([0-9a-f]{64})\.snapshot")
_PIECE_BYTES = 1 << 20
_PATIENCE_S = 5.0  # for an earlier push of the same site, whose line has just been cut, to let go


@dataclass(frozen=True, kw_only=True)
class Brought:
    """One snapshot as it was announced; what is inside is checked by whoever uses it.

    Attributes:
        path: of the file, which hashed to ``sha256`` when it came.
        epoch, sequence, round: as announced.
        sha256: of the file, in hex.
        size_bytes: of the file.
    """

    path: Path
    epoch: int
    sequence: int
    round: int
    sha256: str
    size_bytes: int


class BroughtSnapshots:
    """A folder of them, one folder a site; any thread may call anything.

    Args:
        folder: made if it is not there. What came before this start is still there.
        sites: who may bring.
        keep: newest kept of each site, at least 1; beside them at most one is arriving.
    """

    def __init__(self, folder: Path, sites: Collection[str], keep: int) -> None:
        self._folder, self._keep = folder, keep
        self._lock = threading.Lock()
        self._arriving = {site: threading.Lock() for site in sites}
        self._files = {site: _scan(folder / site) for site in sites}
        self._received_bytes: Counter[str] = Counter()
        # Told of each that has come whole; whoever says what happened last sets it.
        self.on_arrival: Callable[[str], object] = lambda site: None

    def newest(self, site: str) -> Brought | None:
        """The one of the highest epoch and sequence; None when there is none."""
        return max(self._of(site), key=_order, default=None)

    def of_round(self, site: str, round_number: int) -> Brought | None:
        """The newest with so many rounds of training behind it; None when there is none, or none any more."""
        return max((found for found in self._of(site) if found.round == round_number), key=_order, default=None)

    def by_digest(self, site: str, sha256: str) -> Brought | None:
        """The one with these bytes; None when there is none, or none any more."""
        return next((found for found in self._of(site) if found.sha256 == sha256), None)

    def receive(self, site: str, description: Description) -> "Arrival":
        """Makes ready for an announced snapshot; a context manager.

        Raises:
            PeerRefused: ``replay``: it is older than what is here, or has the numbers of another one; ``busy``: one arrives.
        """
        if not self._arriving[site].acquire(timeout=_PATIENCE_S):
            raise PeerRefused("busy", f"another snapshot of {site} is arriving; bring this one a little later")
        try:
            is_here = self._check_order(site, description)
            spool = None if is_here else Spool(self._folder / site / "arriving", description.sha256, description.size_bytes)
        except BaseException:
            self._arriving[site].release()
            raise
        return Arrival(self, site, description, spool)

    def take_received_bytes(self, site: str) -> int:
        """Bytes a site has brought since the last time."""
        with self._lock:
            return self._received_bytes.pop(site, 0)

    def discard(self, site: str, brought: Brought) -> None:
        """Forgets one that is not as it came."""
        with self._lock:
            self._files[site] = [found for found in self._files[site] if found != brought]
        brought.path.unlink(missing_ok=True)

    def _check_order(self, site: str, description: Description) -> bool:
        """Whether the very same is here already."""
        newest, found = self.newest(site), (description.epoch, description.sequence)
        if self.by_digest(site, description.sha256) is not None:
            return True
        if newest is not None and found <= _order(newest):
            raise PeerRefused("replay", f"{site} brings epoch and sequence {found}, {_order(newest)} is here")
        return False

    def _of(self, site: str) -> list[Brought]:
        with self._lock:
            return list(self._files.get(site, ()))

    # Called by arrivals.

    def count(self, site: str, num_bytes: int) -> None:
        """Adds to the bytes a site has brought."""
        with self._lock:
            self._received_bytes[site] += num_bytes

    def place(self, site: str, description: Description) -> None:
        """Takes what has arrived whole among the others, and forgets the oldest."""
        arrived = self._folder / site / "arriving"
        path = arrived.with_name(
            f"epoch{description.epoch}-sequence{description.sequence}-round{description.snapshot_round}-"
            f"{description.sha256}.snapshot"
        )
        arrived.replace(path)
        with self._lock:
            files = sorted([*self._files[site], _brought(path)], key=_order)
            self._files[site], old = files[-self._keep :], files[: -self._keep]
        for brought in old:
            brought.path.unlink(missing_ok=True)
        self.on_arrival(site)

    def release(self, site: str) -> None:
        """The next one may come."""
        self._arriving[site].release()


class Arrival:
    """A snapshot on its way in; leaving it keeps what has come, for the next try.

    Attributes:
        offset: bytes that are here.
    """

    def __init__(self, snapshots: BroughtSnapshots, site: str, description: Description, spool: Spool | None) -> None:
        self._snapshots, self._site, self._description, self._spool = snapshots, site, description, spool

    def __enter__(self) -> "Arrival":
        return self

    def __exit__(self, *error) -> None:
        if self._spool is not None:
            self._spool.__exit__(*error)
        self._snapshots.release(self._site)

    @property
    def offset(self) -> int:
        return self._description.size_bytes if self._spool is None else self._spool.offset

    def append(self, data: bytes) -> None:
        """Adds what came next.

        Raises:
            PeerRefused: ``size``: more than was announced.
        """
        if self._spool is None and data:
            raise PeerRefused("size", f"expected nothing more of a snapshot that is here, found {len(data)} bytes")
        if self._spool is not None:
            self._spool.append(data)
            self._snapshots.count(self._site, len(data))

    def finish(self) -> None:
        """Puts it in place.

        Raises:
            PeerRefused: ``size`` or ``digest``: it is not what was announced; ``damaged``: it must be brought once more.
        """
        if self._spool is None:
            return
        if not self._spool.whole:
            expected = self._description.size_bytes
            raise PeerRefused("size", f"expected a snapshot of {expected} bytes, found its end at {self.offset}")
        if self._spool.resumed_bytes and not self._spool.digest_fits():
            # Not the caller's fault: after a power failure the kept part may be other than what once arrived.
            self._spool.restart()
            raise PeerRefused("damaged", "what had come of the snapshot before is damaged here; bring the whole of it")
        self._spool.finish()
        self._snapshots.place(self._site, self._description)


class BroughtTransport:
    """A ``Transport`` to sites that nobody can call: asks for what they brought.

    Args:
        snapshots: what came.
        membership: own; that of whoever was let in is the same.
        states: what each caller last said of itself.
    """

    def __init__(
        self, snapshots: BroughtSnapshots, membership: Membership, states: Callable[[], Mapping[str, SiteState]]
    ) -> None:
        self._snapshots, self._membership, self._states = snapshots, membership, states

    def describe(self, peer: str, greeting: Greeting, *, wanted_round: int | None, timeout_s: float) -> Description:
        """See ``Transport``; as the peer would answer, from what it has brought and said."""
        newest, state = self._snapshots.newest(peer), self._states().get(peer)
        if newest is None and state is None:
            raise PeerUnreachable(f"{peer} has not called since this site was started; by the plan nobody can call it")
        found = newest if wanted_round is None else self._snapshots.of_round(peer, wanted_round)
        if found is None and state is not SiteState.CLOSED:
            # A site may say that it is finished a moment before its last snapshot is here.
            state = SiteState.TRAINING
        return Description(
            site=peer,
            membership=self._membership,
            state=state or SiteState.TRAINING,
            round=newest.round if newest else 0,
            epoch=found.epoch if found else 1,
            sequence=found.sequence if found else 0,
            snapshot_round=found.round if found else 0,
            sha256=found.sha256 if found else "",
            size_bytes=found.size_bytes if found else 0,
        )

    def pull(self, peer: str, greeting: Greeting, description: Description, target: Path, *, timeout_s: float) -> int:
        """See ``Transport``; the bytes are those that the peer has brought since it was last asked, used or not."""
        check_offer(peer, description)
        found = self._snapshots.by_digest(peer, description.sha256)
        if found is None:
            raise PeerUnreachable(f"{peer} has brought a newer snapshot in between")
        if found.size_bytes != description.size_bytes:
            raise PeerRefused("size", f"expected a snapshot of {description.size_bytes} bytes, found {found.size_bytes}")
        try:
            _copy(found, target)
        except FileNotFoundError as error:
            raise PeerUnreachable(f"{peer} has brought a newer snapshot in between") from error
        except PeerRefused as refused:
            # It hashed to what was announced when it came.
            self._snapshots.discard(peer, found)
            raise PeerUnreachable(f"what {peer} brought was damaged on this site's disk: {refused}") from refused
        return self._snapshots.take_received_bytes(peer)

    def close(self) -> None:
        """See ``Transport``; there is nothing to let go of."""


def _copy(brought: Brought, target: Path) -> None:
    with brought.path.open("rb") as file, Spool(target, brought.sha256, brought.size_bytes) as spool:
        spool.restart()  # what an earlier copy left is not worth its hashing
        while data := file.read(_PIECE_BYTES):
            spool.append(data)
        spool.finish()


def _order(brought: Brought) -> tuple[int, int]:
    return brought.epoch, brought.sequence


def _brought(path: Path) -> Brought:
    epoch, sequence, round_number, sha256 = _NAME.fullmatch(path.name).groups()
    numbers = {"epoch": int(epoch), "sequence": int(sequence), "round": int(round_number)}
    return Brought(path=path, sha256=sha256, size_bytes=path.stat().st_size, **numbers)


def _scan(folder: Path) -> list[Brought]:
    folder.mkdir(parents=True, exist_ok=True)
    return sorted((_brought(path) for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=_order)
