"""A job ends with the process that started it."""

import os
import signal
import sys
import threading


def end_with_parent() -> None:
    """Ends this process and its children when stdin closes: a killed parent cannot end its jobs."""
    threading.Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    # Not through sys.stdin, whose lock a thread that waits would take into the interpreter's end.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGTERM)
