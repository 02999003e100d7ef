"""What stands in front of a snapshot's payload: its format, its manifest and a digest. Bytes are described in ``snapshot``."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from src.exchange.manifest import Manifest, ManifestFault, manifest_from_json
from src.exchange.settings import WIRE_DTYPES
from src.exchange.snapshot_fault import SnapshotFault
from src.exchange.strict_json import JsonFault, strict_json

FORMAT_VERSION = 1
MAGIC = b"OARSNAP" + bytes([FORMAT_VERSION])
ENVELOPE_LIMIT_BYTES = 2**20
_PREFIX_BYTES = len(MAGIC) + 4
_DEEPEST = 3  # envelope, manifest, table
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """The facts in front of a payload.

    Attributes:
        manifest: see there.
        wire_dtype: of ``WIRE_DTYPES``; what floating tensors were rounded to.
        content_sha256: of ``facts`` and payload, in hex.
        num_bytes: from the file's first byte to the payload's.
    """

    manifest: Manifest
    wire_dtype: str
    content_sha256: str
    num_bytes: int


def begin_digest(manifest: Manifest, wire_dtype: str) -> "hashlib._Hash":
    """SHA-256 that has taken in all facts but itself; the payload's bytes come next."""
    return hashlib.sha256(_canonical(_facts(manifest, wire_dtype)))


def encode_envelope(manifest: Manifest, wire_dtype: str, content_sha256: str) -> bytes:
    """All that stands in front of the payload."""
    content = _canonical({**_facts(manifest, wire_dtype), "content_sha256": content_sha256})
    return MAGIC + len(content).to_bytes(4, "little") + content


def read_envelope(file: BinaryIO, structures: Sequence[str] | None) -> Envelope:
    """Reads a file up to its payload.

    Args:
        file: at its beginning.
        structures: names that the manifest's tables must hold; None for one of our own files: whatever its first table holds.

    Raises:
        SnapshotFault: truncated, format or manifest.
    """
    prefix = file.read(_PREFIX_BYTES)
    _check_prefix(prefix)
    num_bytes = int.from_bytes(prefix[len(MAGIC) :], "little")
    if num_bytes > ENVELOPE_LIMIT_BYTES:
        raise SnapshotFault("format", f"the envelope has {num_bytes} bytes, expected at most {ENVELOPE_LIMIT_BYTES}")
    content = file.read(num_bytes)
    if len(content) < num_bytes:
        raise SnapshotFault("truncated", f"the file ends in its envelope, after {len(content)} of {num_bytes} bytes")
    manifest, wire_dtype, digest = _decode(content, structures)
    return Envelope(manifest=manifest, wire_dtype=wire_dtype, content_sha256=digest, num_bytes=_PREFIX_BYTES + num_bytes)


def _check_prefix(prefix: bytes) -> None:
    if not MAGIC.startswith(prefix[: len(MAGIC)]):
        if prefix[: len(MAGIC) - 1] == MAGIC[:-1]:
            raise SnapshotFault("format", f"the snapshot has format {prefix[len(MAGIC) - 1]}, expected {FORMAT_VERSION}")
        raise SnapshotFault("format", "the file does not begin as a snapshot does")
    if len(prefix) < _PREFIX_BYTES:
        raise SnapshotFault("truncated", f"the file ends after {len(prefix)} bytes, within its first {_PREFIX_BYTES}")


def _decode(content: bytes, structures: Sequence[str] | None) -> tuple[Manifest, str, str]:
    try:
        decoded = strict_json(content, _DEEPEST)
    except JsonFault as fault:
        raise SnapshotFault("format", f"the envelope cannot be read: it {fault}") from fault
    if not isinstance(decoded, dict) or set(decoded) != {"manifest", "wire_dtype", "content_sha256"}:
        raise SnapshotFault("format", "the envelope does not hold manifest, wire_dtype and content_sha256, and these alone")
    manifest, wire_dtype, digest = decoded["manifest"], decoded["wire_dtype"], decoded["content_sha256"]
    if wire_dtype not in WIRE_DTYPES:
        raise SnapshotFault("dtype", f"wire_dtype is {wire_dtype!r:.40}, expected one of {', '.join(WIRE_DTYPES)}")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise SnapshotFault("format", "content_sha256 is not a SHA-256 in small hex digits")
    # One content has one spelling; else bytes could be changed that no digest covers.
    if _canonical(decoded) != content:
        raise SnapshotFault("format", "the envelope is not spelled as a snapshot's is: sorted names, no blanks, ASCII")
    return checked_manifest(manifest, structures), wire_dtype, digest


def checked_manifest(content: object, structures: Sequence[str] | None) -> Manifest:
    """A manifest from JSON; as ``manifest_from_json``, with the one error of this format."""
    if structures is None:
        table = content.get("train_cases") if isinstance(content, dict) else None
        structures = tuple(table) if isinstance(table, dict) else ()
    try:
        return manifest_from_json(content, tuple(structures))
    except ManifestFault as fault:
        raise SnapshotFault("manifest", f"the manifest {fault}") from fault


def _facts(manifest: Manifest, wire_dtype: str) -> dict:
    return {"manifest": manifest.to_json(), "wire_dtype": wire_dtype}


def _canonical(content: dict) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
