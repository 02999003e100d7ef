"""What the running Python must be, checked before OpenFL can hang on it."""

import sys
from importlib.metadata import version

from src.errors import OarError

OLDEST_PYTHON, FIRST_PYTHON_TOO_NEW = (3, 10), (3, 13)
FIRST_NUMPY_TOO_NEW = (2, 4)


def check_python(found: tuple[int, int] = sys.version_info[:2]) -> None:
    """Refuses a Python that OpenFL 1.9 does not support.

    Raises:
        OarError: it is older than 3.10, or 3.13 and newer.
    """
    if not OLDEST_PYTHON <= tuple(found) < FIRST_PYTHON_TOO_NEW:
        raise OarError(f"expected Python 3.10, 3.11 or 3.12, found {found[0]}.{found[1]}; OpenFL 1.9 runs on no other")


def check_numpy(found: str | None = None) -> None:
    """Refuses a NumPy that OpenFL 1.9 fails on.

    OpenFL 1.9 calls ``np.reshape(newshape=...)``, removed in NumPy 2.4: the aggregator dies and every site waits for ever.

    Args:
        found: the version to judge; the installed one by default.

    Raises:
        OarError: it is 2.4 or newer.
    """
    found = found or version("numpy")
    if tuple(int(part) for part in found.split(".")[:2]) >= FIRST_NUMPY_TOO_NEW:
        raise OarError(
            f"expected NumPy below 2.4, found {found}: OpenFL 1.9 calls a function that NumPy 2.4 removed, and a federation "
            "would hang; run 'pip install \"numpy<2.4\"'"
        )
