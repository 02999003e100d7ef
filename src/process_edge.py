"""Where a process ends: the message on stderr, the error's exit code, a traceback only of what nobody foresaw."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from src.errors import OarError, Stopped, UnforeseenFault
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


@contextmanager
def run_edge() -> Iterator[None]:
    """As ``process_edge``, for a run that something starts again: a refusal and a fault that may pass must not look alike.

    ``fx`` would end with 1 for both, and whoever starts it again could only give up on all of them, or never.
    """
    with process_edge():
        try:
            yield
        except OarError:
            raise
        except Exception as error:
            if machine_fault(error) is not None:
                raise
            traceback.print_exc()
            raise UnforeseenFault(
                f"expected a round like any other, found a fault that nobody foresaw ({type(error).__name__}, above); start "
                "again: it may be gone. If it comes back, it is a mistake of the program, and the lines above say where"
            ) from error


def _end(ending: OarError | Stopped, cause: BaseException) -> NoReturn:
    print(f"{type(ending).__name__}: {ending}", file=sys.stderr, flush=True)
    raise SystemExit(ending.exit_code) from cause
