"""What a publisher must remember over a restart: the number of its last card, and under which keys its snapshots lie there."""

import json
import logging
from collections.abc import Collection
from pathlib import Path

from src.exchange.folder.sealed_model import KEY_BYTES, Seal
from src.exchange.strict_json import JsonFault, strict_json
from src.exchange.whole_file import write_whole

logger = logging.getLogger(__name__)

_LARGEST_BYTES = 2**24
_DEEPEST = 3  # file, seals, seal


class Seals:
    """A small file in the site's state folder, where the snapshots themselves lie unencrypted.

    Args:
        path: of the file; without it, or when it cannot be read, snapshots are sealed anew and cards are numbered from 1.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.number, self._seals = _read(path)

    def next_number(self, at_least: int) -> int:
        """The number of the next card; on disk when this returns, so that it is never given twice."""
        self.number = max(self.number + 1, at_least)
        self._write()
        return self.number

    def of(self, sha256: str) -> Seal | None:
        """The seal of a snapshot; None when it was never sealed."""
        return self._seals.get(sha256)

    def note(self, sha256: str, seal: Seal) -> None:
        """Remembers a seal; on disk with the next number."""
        self._seals[sha256] = seal

    def keep_only(self, digests: Collection[str]) -> None:
        """Forgets the keys of all other snapshots."""
        self._seals = {sha256: seal for sha256, seal in self._seals.items() if sha256 in digests}

    def _write(self) -> None:
        seals = {name: {"key": seal.key.hex(), "sealed_sha256": seal.sealed_sha256} for name, seal in self._seals.items()}
        write_whole(self._path, [json.dumps({"number": self.number, "seals": seals}, indent=1).encode()])


def _read(path: Path) -> tuple[int, dict[str, Seal]]:
    try:
        with path.open("rb") as file:
            content = strict_json(file.read(_LARGEST_BYTES), _DEEPEST)
        seals = {
            name: Seal(key=bytes.fromhex(entry["key"]), sealed_sha256=entry["sealed_sha256"])
            for name, entry in content["seals"].items()
        }
        number = content["number"]
        if type(number) is not int or number < 0 or any(len(seal.key) != KEY_BYTES for seal in seals.values()):
            raise ValueError("an impossible number or key")
    except FileNotFoundError:
        return 0, {}
    except (OSError, JsonFault, ValueError, TypeError, KeyError, AttributeError) as error:
        logger.warning("what was put into the folder before cannot be read (%s); all snapshots are sealed anew", error)
        return 0, {}
    return number, seals
