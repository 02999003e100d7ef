"""The inside of a job's process: silent, gone with its parent, and of an unexpected error only the place is told."""

import os
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from src.error_place import error_place


def run_in_child(pipe: Connection, function: Callable[[object], str], argument: object) -> None:
    """Calls the function and sends ("result", its text) or ("failure", what went wrong)."""
    _silence()
    threading.Thread(target=_die_with_parent, args=(pipe,), daemon=True).start()
    try:
        answer = ("result", function(argument))
    except MemoryError:
        answer = ("failure", "it needs more memory than there is; try again with --jobs 1")
    except BaseException as error:
        answer = ("failure", f"an error of the converter itself: {error_place(error)}; please report these words")
    pipe.send(answer)
    # Without Python's farewell: it could wait for a library's threads, and there is nothing left to say.
    os._exit(0)


def _silence() -> None:
    """Libraries warn with paths and header values, some from C++: both streams of the process go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process


def _die_with_parent(pipe: Connection) -> None:
    """A killed parent cannot end its children; they see its end of the pipe close."""
    try:
        pipe.recv()
    except (EOFError, OSError):
        os._exit(1)
