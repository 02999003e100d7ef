"""Where an unexpected error came from, told without its text, which may quote a path or a header."""

import traceback
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def error_place(error: BaseException) -> str:
    """An error's class and place: ``ValueError at src/dicom/header.py:88``; the class alone where no line is the project's."""
    places = [(Path(frame.filename).resolve(), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [f"{path.relative_to(_ROOT).as_posix()}:{line}" for path, line in places if _is_ours(path)]
    return f"{type(error).__name__} at {ours[-1]}" if ours else type(error).__name__


def _is_ours(path: Path) -> bool:
    """Whether a file is the project's own and not a library's."""
    if not path.is_relative_to(_ROOT):
        return False
    return not any(part.startswith(".") or part == "site-packages" for part in path.relative_to(_ROOT).parts)
