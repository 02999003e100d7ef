"""The libraries without their warnings, which quote values of headers and names of files: patients' names and identifiers."""

import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydicom import config


def _new_locks() -> dict:
    return {"reading": threading.RLock(), "decoding": threading.RLock()}


_locks = _new_locks()
# A process forked while another thread reads would otherwise wait for ever.
os.register_at_fork(after_in_child=lambda: _locks.update(_new_locks()))


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """While it is open, pydicom neither warns nor logs, and takes values as they are instead of judging them.

    One thread at a time: the filters of warnings and pydicom's settings belong to the whole process.
    """
    logger = logging.getLogger("pydicom")
    with _locks["reading"], warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        was_disabled, logger.disabled = logger.disabled, True
        try:
            yield
        finally:
            logger.disabled = was_disabled


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """While it is open, nothing reaches the terminal by the error stream: image decoders write there past Python and ITK.

    One thread at a time: the stream belongs to the whole process.
    """
    with _locks["decoding"], Path(os.devnull).open("w") as nowhere:
        sys.stderr.flush()
        terminal = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
