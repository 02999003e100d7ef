"""What git has committed; nothing here writes."""

import subprocess
from pathlib import Path


def head_commit(repository: Path) -> str | None:
    """The hash of HEAD, or None outside a clone or before the first commit."""
    found = _git(repository, "rev-parse", "--verify", "--quiet", "HEAD")
    return None if found is None else found.decode().strip()


def committed_bytes(repository: Path, path: Path) -> bytes | None:
    """What HEAD holds of a file, or None when it holds none.

    Args:
        repository: its root.
        path: of the file, below it.
    """
    return _git(repository, "show", f"HEAD:{path.resolve().relative_to(repository.resolve()).as_posix()}")


def _git(repository: Path, *arguments: str) -> bytes | None:
    try:
        return subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
