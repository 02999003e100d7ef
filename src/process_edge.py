"""Where a process ends: the message on stderr, the error's exit code, no traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from src.errors import OarError


@contextmanager
def process_edge() -> Iterator[None]:
    """Turns an ``OarError`` into its message on stderr and the end of the process with its exit code.

    ``fx`` ends with exit code 1 for every exception it meets, but lets ``SystemExit`` pass.
    """
    try:
        yield
    except OarError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        raise SystemExit(error.exit_code) from error
