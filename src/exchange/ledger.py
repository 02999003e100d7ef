"""What was seen of each peer, on disk: so that nothing old is learnt from twice, whoever sends it again.

Clocks decide nothing. A peer numbers its snapshots; one that lost its disk counts from 1 in a new, higher epoch.
"""

import json
import re
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from src.errors import FederationError
from src.exchange.strict_json import JsonFault, strict_json
from src.exchange.transport import PeerRefused
from src.exchange.whole_file import write_whole

LEDGER_VERSION = 1
_LARGEST_BYTES = 2**24
_DEEPEST = 3  # ledger, peers, entry
_DIGEST = re.compile("[0-9a-f]{64}")


class NothingNew(Exception):
    """The peer's newest snapshot has been used before; no fault of anybody."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The newest snapshot of a peer that was used.

    Attributes:
        epoch, sequence: its numbers.
        sha256: of its bytes, in hex.
        exchange: number of the exchange it was used in.
    """

    epoch: int
    sequence: int
    sha256: str
    exchange: int


class Ledger:
    """The newest that was seen of each peer; may be asked from any thread.

    Args:
        path: of the file; there is none before the first ``note``.

    Raises:
        FederationError: the file is there and is not a ledger.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._seen = _read(path)

    def newest(self, peer: str) -> tuple[int, int]:
        """Epoch and sequence of the newest seen; (0, 0) when there is none."""
        with self._lock:
            seen = self._seen.get(peer)
        return (seen.epoch, seen.sequence) if seen else (0, 0)

    def check(self, peer: str, epoch: int, sequence: int, sha256: str, exchange: int) -> None:
        """Whether a snapshot may be used.

        It may if it is newer than all before, a higher epoch being newer than a lower one; or if it is the newest one again, in
        the same exchange: a site that was stopped within an exchange repeats it.

        Raises:
            NothingNew: it has been used, in another exchange.
            PeerRefused: ``replay``: it is older, or has the numbers of the newest and other bytes.
        """
        with self._lock:
            seen = self._seen.get(peer)
        _check_order(peer, seen, epoch, sequence, sha256)
        if seen and (epoch, sequence) == (seen.epoch, seen.sequence) and exchange != seen.exchange:
            raise NothingNew(f"snapshot {sequence} of {peer} was used in exchange {seen.exchange}")

    def note(self, peer: str, epoch: int, sequence: int, sha256: str, exchange: int) -> None:
        """Writes down that a snapshot was taken; on disk when this returns.

        Raises:
            PeerRefused: as ``check``; nothing is written.
        """
        entry = Seen(epoch=epoch, sequence=sequence, sha256=sha256, exchange=exchange)
        if not _is_seen(asdict(entry)):
            raise ValueError(f"expected numbers and a SHA-256 of a snapshot of {peer}, found {entry}")
        with self._lock:
            _check_order(peer, self._seen.get(peer), epoch, sequence, sha256)
            seen = {**self._seen, peer: entry}
            content = {"ledger_version": LEDGER_VERSION, "peers": {name: asdict(seen[name]) for name in sorted(seen)}}
            write_whole(self._path, [json.dumps(content, indent=1).encode()])
            self._seen = seen


def _check_order(peer: str, seen: Seen | None, epoch: int, sequence: int, sha256: str) -> None:
    if seen is None:
        return
    found, newest = (epoch, sequence), (seen.epoch, seen.sequence)
    if found < newest:
        message = f"{peer} offers epoch and sequence {found}, {newest} was seen; if its disk was lost, raise its epoch"
        raise PeerRefused("replay", message)
    if found == newest and sha256 != seen.sha256:
        raise PeerRefused("replay", f"{peer} offers other bytes as epoch and sequence {found} than before; raise its epoch")


def _read(path: Path) -> dict[str, Seen]:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _broken(path, error.strerror or "it cannot be read") from error
    if len(content) > _LARGEST_BYTES:
        raise _broken(path, f"it is larger than {_LARGEST_BYTES} bytes")
    try:
        decoded = strict_json(content, _DEEPEST)
    except JsonFault as fault:
        raise _broken(path, f"it {fault}") from fault
    if not isinstance(decoded, dict) or set(decoded) != {"ledger_version", "peers"}:
        raise _broken(path, "it does not hold ledger_version and peers")
    if decoded["ledger_version"] != LEDGER_VERSION:
        raise _broken(
            path, f"it has version {decoded['ledger_version']!r:.40}, this version of openfl-oar reads {LEDGER_VERSION}"
        )
    peers = decoded["peers"]
    if not isinstance(peers, dict) or not all(_is_seen(entry) for entry in peers.values()):
        raise _broken(path, "an entry has not epoch, sequence, sha256 and exchange, or impossible ones")
    return {name: Seen(**entry) for name, entry in peers.items()}


def _is_seen(entry: object) -> bool:
    if not isinstance(entry, dict) or set(entry) != {"epoch", "sequence", "sha256", "exchange"}:
        return False
    lowest = {"epoch": 1, "sequence": 1, "exchange": 0}
    return all(type(entry[name]) is int and low <= entry[name] < 2**31 for name, low in lowest.items()) and (
        isinstance(entry["sha256"], str) and _DIGEST.fullmatch(entry["sha256"]) is not None
    )


def _broken(path: Path, fault: str) -> FederationError:
    return FederationError(
        f"expected what was seen of each peer in '{path.name}', found a file that cannot be used ({fault}); restore it from a "
        "backup, or delete it: the next snapshot of each peer is then taken whatever its number, even an old one"
    )
