"""Files that are there whole or not at all, and what they hold in one number."""

import hashlib
import json
from pathlib import Path

from src.exchange import whole_file


def write_whole(path: Path, text: str) -> None:
    """Writes a text beside its place and renames it there; its folder is made if need be."""
    whole_file.write_whole(path, [text.encode()])


def file_digest(path: Path) -> str:
    """SHA-256 of a file in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def content_digest(content: object) -> str:
    """SHA-256 in hex of plain JSON types; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
