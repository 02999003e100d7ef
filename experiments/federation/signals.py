"""Ctrl-C, SIGTERM and a closed terminal end a run's processes in order, instead of leaving them behind."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from experiments.federation.processes import Processes


@contextmanager
def stopped_by_signals(processes: Processes) -> Iterator[Processes]:
    """Processes that a signal asks to end; only the main thread can listen for signals, elsewhere they stay as they are."""
    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, processes.request_stop) for number in handled}
    try:
        with processes:
            yield processes
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
