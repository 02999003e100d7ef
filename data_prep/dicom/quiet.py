"""pydicom without its warnings, which quote values of the headers: names, dates and identifiers of patients."""

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom import config

_locks = {"reading": threading.RLock()}
# A process forked while another thread reads would otherwise wait for ever.
os.register_at_fork(after_in_child=lambda: _locks.update(reading=threading.RLock()))


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
