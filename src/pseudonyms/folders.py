"""The folders of a command that reads patients: what it reads, what it writes and, apart from both, the private folder."""

from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

from src.errors import DatasetError


def private_folder_beside(output: Path, private: Path | None) -> Path:
    """The private folder: the one that was named, or ``<output>_private`` beside the output."""
    output = output.resolve()
    return (private or output.with_name(f"{output.name}_private")).resolve()


def check_apart(folders: Mapping[str, Path]) -> None:
    """Refuses folders of which one lies inside another, or is a file.

    Args:
        folders: option -> folder, there or not.

    Raises:
        DatasetError: names the options, and no path.
    """
    resolved = {option: folder.resolve() for option, folder in folders.items()}
    for option, folder in resolved.items():
        if folder.exists() and not folder.is_dir():
            raise DatasetError(f"expected a folder at {option}, found a file; choose another name")
    for (outer, outer_path), (inner, inner_path) in permutations(resolved.items(), 2):
        if inner_path.is_relative_to(outer_path):
            raise DatasetError(
                f"expected {inner} apart from {outer}, found it inside; what is read, what is passed on and the key of the "
                "pseudonyms belong in three folders"
            )
