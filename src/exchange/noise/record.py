"""The secret that noise is made of, and what has left with it: on disk before anything leaves."""

import json
import re
import secrets
from pathlib import Path

from src.errors import FederationError
from src.exchange.strict_json import JsonFault, strict_json
from src.exchange.whole_file import write_whole

RECORD_VERSION = 1
_KEY_BYTES, _LARGEST_BYTES, _DEEPEST = 32, 2**24, 2
_DIGEST = re.compile("[0-9a-f]{64}")
_FILE = "noise.json"


class NoiseRecord:
    """One site's, for one run.

    Args:
        folder: made, readable by this user alone; the key is as secret as the model.
        goes_on: whether this site goes on from a checkpoint, so that a record must be there.
        lost: publications of this site that no record is left of; counted with those of a record that is begun now.

    Raises:
        FederationError: there is none where one must be, or it cannot be read.
    """

    def __init__(self, folder: Path, *, goes_on: bool, lost: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / _FILE
        if self._path.is_file():
            self.key, self._published, self._lost = _read(self._path)
        elif goes_on:
            raise _unusable("there is none")
        else:
            self.key, self._published, self._lost = secrets.token_bytes(_KEY_BYTES), [], lost
            self._write()

    @property
    def publications(self) -> int:
        """Models that left, or were about to when the site was stopped."""
        return self._lost + len(self._published)

    def note(self, digest: str) -> None:
        """Counts a model that is about to leave, by a digest of it and its round; the same again counts once."""
        if digest not in self._published:
            self._published.append(digest)
            self._write()

    def _write(self) -> None:
        content = {"record_version": RECORD_VERSION, "key": self.key.hex(), "lost": self._lost, "published": self._published}
        write_whole(self._path, [json.dumps(content, indent=1).encode()])


def _read(path: Path) -> tuple[bytes, list[str], int]:
    try:
        with path.open("rb") as file:
            content = strict_json(file.read(_LARGEST_BYTES), _DEEPEST)
        if content["record_version"] != RECORD_VERSION:
            raise ValueError(f"it has version {content['record_version']!r:.40}")
        key, published, lost = bytes.fromhex(content["key"]), content["published"], content["lost"]
        if len(key) != _KEY_BYTES or not isinstance(published, list) or type(lost) is not int or lost < 0:
            raise ValueError("it has no key, or does not tell what was published")
        if not all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in published):
            raise ValueError("what was published is not told by digests")
    except (OSError, JsonFault, ValueError, TypeError, KeyError) as error:
        raise _unusable(str(error)) from error
    return key, published, lost


def _unusable(fault: str) -> FederationError:
    return FederationError(
        f"expected the record of the noise that this site publishes with ({_FILE}), found that {fault:.200}; restore the state "
        "folder from a backup, or move all of it away and raise 'epoch' in plan/peers.yaml: with checkpoints and without this "
        "record the site would publish the same model a second time under other noise"
    )
