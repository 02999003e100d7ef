"""A text file that is there whole or not at all."""

from pathlib import Path

from src.exchange import whole_file


def write_whole(path: Path, text: str) -> None:
    """Writes a text beside its place and renames it there; its folder is made if need be."""
    whole_file.write_whole(path, [text.encode()])
