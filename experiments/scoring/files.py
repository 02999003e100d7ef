"""Files that are there whole or not at all, and what they hold in one number."""

import hashlib
import json
import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Writes a file beside its place and renames it there; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """SHA-256 of a file in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def content_digest(content: object) -> str:
    """SHA-256 in hex of plain JSON types; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
