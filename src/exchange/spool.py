"""A snapshot's file while it arrives: hashed as it grows, kept when the line breaks, in place only when it is whole."""

import hashlib
from pathlib import Path

from src.exchange.transport import PeerRefused
from src.machine_fault import writing

_READ_BYTES = 1 << 20


def has_digest(path: Path, sha256: str) -> bool:
    """Whether a file is there and hashes to this, in hex."""
    if not path.is_file():
        return False
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest() == sha256


class Spool:
    """Collects a snapshot beside its target, in ``<target>.<first 16 digits of the digest>.partial``.

    What is there of an earlier attempt at the same snapshot is hashed again and continued; attempts at others are removed.
    A context manager: leaving it keeps what has arrived. Nothing waits for the disk: what a power failure takes is fetched
    again, and whoever takes up a file of an earlier start compares its digest (``has_digest``).

    Args:
        target: where the snapshot ends up; its folder exists.
        sha256: what the whole must hash to, in hex.
        size_bytes: of the whole; at least 1.
    """

    def __init__(self, target: Path, sha256: str, size_bytes: int) -> None:
        self._target, self._sha256, self._size_bytes = target, sha256, size_bytes
        self._partial = target.with_name(f"{target.name}.{sha256[:16]}.partial")
        for other in target.parent.glob(f"{target.name}.*.partial"):
            if other != self._partial:
                other.unlink()
        with writing(self._partial):
            self._file = self._partial.open("a+b", buffering=0)
        self._hash, self.offset = hashlib.sha256(), 0
        self._take_up()
        self.resumed_bytes = self.offset

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *error) -> None:
        self._file.close()

    @property
    def whole(self) -> bool:
        """Whether all bytes are there."""
        return self.offset == self._size_bytes

    def append(self, data: bytes | memoryview) -> None:
        """Adds what arrived next.

        Raises:
            PeerRefused: more came than was described; nothing of it is kept.
            DiskError: this site's disk is full or refuses; what had come is kept, and continued once there is room.
        """
        if self.offset + len(data) > self._size_bytes:
            self._discard()
            raise PeerRefused("size", f"expected a snapshot of {self._size_bytes} bytes, found more")
        self._hash.update(data)
        self._write(data)
        self.offset += len(data)

    def restart(self) -> None:
        """Forgets everything that is there."""
        self._file.truncate(0)
        self._hash, self.offset, self.resumed_bytes = hashlib.sha256(), 0, 0

    def digest_fits(self) -> bool:
        """Whether what is there hashes to what was described."""
        return self._hash.hexdigest() == self._sha256

    def finish(self) -> None:
        """Puts the whole snapshot in place.

        Raises:
            PeerRefused: it is not what was described; nothing of it is kept.
        """
        if not self.digest_fits():
            self._discard()
            found = self._hash.hexdigest()
            raise PeerRefused("digest", f"expected a snapshot with SHA-256 {self._sha256[:16]}…, found {found[:16]}…")
        self._partial.replace(self._target)

    def _take_up(self) -> None:
        if self._partial.stat().st_size > self._size_bytes:
            self.restart()
        self._file.seek(0)
        while piece := self._file.read(_READ_BYTES):
            self._hash.update(piece)
            self.offset += len(piece)

    def _write(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:  # an unbuffered file may take less than it is given
            with writing(self._partial):
                rest = rest[self._file.write(rest) :]

    def _discard(self) -> None:
        self._partial.unlink(missing_ok=True)
