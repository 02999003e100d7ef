"""A snapshot under its key: AES-256-GCM in chunks, so that no model is ever in memory, and none can be cut or reordered.

Chunks of 2^20 bytes, each followed by its tag of 16. A chunk's nonce is its number and whether it is the last, as in STREAM
(Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance, CRYPTO 2015); a key
is drawn for each sealing and never used twice. The associated data name the snapshot.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from src.exchange.folder.shared_file import FileFault, open_plain, read_exactly, write_shared
from src.exchange.membership import Description
from src.exchange.spool import Spool

CHUNK_BYTES, TAG_BYTES, KEY_BYTES = 2**20, 16, 32


@dataclass(frozen=True, kw_only=True)
class Seal:
    """What is needed to open a sealed snapshot.

    Attributes:
        key: drawn for it.
        sealed_sha256: of the encrypted file, in hex.
    """

    key: bytes
    sealed_sha256: str


def sealed_bytes(size_bytes: int) -> int:
    """Size of the encrypted file of a snapshot of so many bytes, at least 1."""
    return size_bytes + TAG_BYTES * -(-size_bytes // CHUNK_BYTES)


def seal_name(site: str, description: Description) -> str:
    """Which snapshot a key is for: its label when it is wrapped, and the associated data of what it encrypts."""
    return f"openfl-oar model {site} {description.epoch} {description.sequence} {description.sha256}"


def seal(source: Path, target: Path, *, sha256: str, size_bytes: int, name: str) -> Seal:
    """Encrypts a snapshot into the folder, under a new key.

    Args:
        source: the snapshot.
        target: replaced as a whole.
        sha256, size_bytes: of the snapshot; what is found must be it.
        name: which snapshot this is, for the associated data.

    Raises:
        FileFault: the source is gone, or not what it should be.
        OSError: the folder is gone, full, or refuses.
    """
    key, digest = AESGCM.generate_key(8 * KEY_BYTES), hashlib.sha256()
    with open_plain(source) as file:

        def hashed() -> Iterator[bytes]:
            for chunk in _encrypted(file, AESGCM(key), sha256, size_bytes, name):
                digest.update(chunk)
                yield chunk

        write_shared(target, hashed())
    return Seal(key=key, sealed_sha256=digest.hexdigest())


def unseal(source: Path, spool: Spool, seal_of: Seal, *, size_bytes: int, name: str, check: Callable[[], None]) -> None:
    """Decrypts into a spool what it lacks; each chunk is authentic before it is written.

    Args:
        source: the encrypted file.
        spool: of the snapshot.
        seal_of: what its card says of the file.
        size_bytes: of the snapshot.
        name: as in ``seal``.
        check: called before each chunk; what it raises is passed on.

    Raises:
        FileFault: the file is not whole (yet), or not the one that was announced.
        PeerRefused: as ``Spool.append``.
    """
    if spool.offset % CHUNK_BYTES and not spool.whole:
        spool.restart()
    cipher, begin = AESGCM(seal_of.key), spool.offset // CHUNK_BYTES
    digest = hashlib.sha256() if not begin else None  # what came earlier was authentic by its tags
    with open_plain(source) as file:
        _check_size(file, sealed_bytes(size_bytes), source.name)
        file.seek(begin * (CHUNK_BYTES + TAG_BYTES))
        while not spool.whole:
            check()
            wanted = min(CHUNK_BYTES, size_bytes - spool.offset)
            chunk = read_exactly(file, wanted + TAG_BYTES)
            is_last = spool.offset + wanted == size_bytes
            plain = _decrypted(cipher, chunk, _nonce(spool.offset // CHUNK_BYTES, is_last), name)
            if digest is not None:
                digest.update(chunk)
                if is_last and digest.hexdigest() != seal_of.sealed_sha256:
                    raise FileFault(f"{source.name} is not the file that was announced")
            spool.append(plain)


def _encrypted(file: BinaryIO, cipher: AESGCM, sha256: str, size_bytes: int, name: str) -> Iterator[bytes]:
    digest, done = hashlib.sha256(), 0
    while done < size_bytes:
        plain = read_exactly(file, min(CHUNK_BYTES, size_bytes - done))
        if not plain:
            break
        digest.update(plain)
        number, done = done // CHUNK_BYTES, done + len(plain)
        yield cipher.encrypt(_nonce(number, done == size_bytes), plain, name.encode())
    if done != size_bytes or digest.hexdigest() != sha256:
        raise FileFault("a snapshot of this site's outbox is not as it was written")


def _decrypted(cipher: AESGCM, chunk: bytes, nonce: bytes, name: str) -> bytes:
    try:
        return cipher.decrypt(nonce, chunk, name.encode())
    except (InvalidTag, ValueError) as error:  # ValueError: shorter than a tag
        raise FileFault("a snapshot in the folder is not whole (yet), or was changed") from error


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _check_size(file: BinaryIO, expected_bytes: int, name: str) -> None:
    found_bytes = file.seek(0, 2)
    if found_bytes != expected_bytes:
        raise FileFault(f"expected {expected_bytes} bytes in {name}, found {found_bytes}; is it still on its way?")
