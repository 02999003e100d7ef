"""The licence of this project, which goes with everything that is exported."""

from pathlib import Path

# The same as at the top of the repository, which no workspace has.
_LICENCE = Path(__file__).parent / "shipped" / "LICENSE"


def write_licence(folder: Path) -> None:
    """Writes ``LICENSE`` into a folder."""
    (folder / "LICENSE").write_bytes(_LICENCE.read_bytes())
