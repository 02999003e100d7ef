"""What came of asking peers, on disk: models and, per exchange, a record from which a restarted site repeats it."""

import json
import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from src.exchange.whole_file import write_whole

logger = logging.getLogger(__name__)

RECEIVED, UNREACHABLE, REFUSED, NOTHING_NEW = "received", "unreachable", "refused", "nothing_new"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of asking one peer.

    Attributes:
        outcome: ``received``, ``unreachable``, ``refused`` or ``nothing_new``.
        reason: why not, in a word; ``detail`` in a sentence.
        file: name of the spooled snapshot; empty when there is none.
        sha256: of that file, in hex.
        received_bytes: of snapshots, in this attempt.
        state: what the peer said of itself last; empty when it said nothing.
    """

    peer: str
    weight: float
    outcome: str
    reason: str = ""
    detail: str = ""
    file: str = ""
    sha256: str = ""
    received_bytes: int = 0
    seconds: float = 0.0
    state: str = ""


class Inbox:
    """The folder of spooled snapshots and of the records.

    Args:
        folder: made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def recall(self, exchange: int) -> list[Outcome] | None:
        """The outcomes of an exchange that was carried through before; None when it was not."""
        path = self._record(exchange)
        if not path.is_file():
            return None
        try:
            outcomes = [Outcome(**entry) for entry in json.loads(path.read_bytes())]
        except (ValueError, TypeError) as error:
            logger.warning("what came of exchange %d cannot be read (%s); it is carried through again", exchange, error)
            return None
        return outcomes if all((self.folder / entry.file).is_file() for entry in outcomes if entry.file) else None

    def note(self, exchange: int, outcomes: Sequence[Outcome]) -> None:
        """Writes an exchange down, and forgets all but this one and the one before."""
        write_whole(self._record(exchange), [json.dumps([asdict(entry) for entry in outcomes]).encode()])
        kept = self._files_of((exchange - 1, exchange))
        for path in self.folder.iterdir():
            if path.is_file() and path not in kept and not path.name.endswith(".partial"):
                path.unlink()

    def keep_only(self, exchanges: Collection[int]) -> None:
        """Forgets all but some exchanges, as if nothing else had ever come."""
        kept = self._files_of(exchanges)
        for path in self.folder.iterdir():
            if path not in kept:
                path.unlink()

    def forget_broken(self, peer: str, but: str = "") -> None:
        """Removes what is there of a peer's snapshots that never came whole, but for that of one file."""
        name = re.compile(rf"({re.escape(peer)}-\d+-\d+-[0-9a-f]+\.snapshot)\.[0-9a-f]+\.partial")
        for path in self.folder.iterdir():
            found = name.fullmatch(path.name)
            if found and found[1] != but:
                path.unlink()

    def broken_bytes(self, name: str) -> int:
        """What has come of a file that is not whole yet."""
        return sum(path.stat().st_size for path in self.folder.glob(f"{name}.*.partial"))

    def _files_of(self, exchanges: Collection[int]) -> set[Path]:
        """Records and models of some exchanges."""
        records = {self._record(number) for number in exchanges}
        return records | {self.folder / entry.file for number in exchanges for entry in self.recall(number) or ()}

    def _record(self, exchange: int) -> Path:
        return self.folder / f"exchange-{exchange:06d}.json"
