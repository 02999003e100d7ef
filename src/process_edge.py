"""Where a process ends: the message on stderr, the error's exit code, no traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from src.errors import OarError, Stopped
from src.machine_fault import machine_fault


@contextmanager
def process_edge() -> Iterator[None]:
    """Turns an ``OarError``, a ``Stopped`` or a fault of the machine into a message on stderr and the end with its exit code.

    ``fx`` ends with exit code 1 for every exception it meets, but lets ``SystemExit`` pass.
    """
    try:
        yield
    except (OarError, Stopped) as ending:
        _end(ending, ending)
    except (OSError, RuntimeError) as error:
        fault = machine_fault(error)
        if fault is None:
            raise
        _end(fault, error)


def _end(ending: OarError | Stopped, cause: BaseException) -> NoReturn:
    print(f"{type(ending).__name__}: {ending}", file=sys.stderr, flush=True)
    raise SystemExit(ending.exit_code) from cause
