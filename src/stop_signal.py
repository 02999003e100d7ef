"""SIGTERM and Ctrl-C: the process leaves whatever it waits for or computes, but never in the middle of a file.

What is lost is the round in progress, which follows from seed, site and round and comes out the same when it is repeated. To
finish it first would gain nothing, and a service manager does not wait for it.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from src.errors import Stopped

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Pending:
    """What the handlers know; signals reach the main thread alone, so there is one for the process."""

    holds = 0
    stopped: Stopped | None = None


@contextmanager
def stops_on_signal(how_to_go_on: str) -> Iterator[None]:
    """Within, the first SIGTERM or Ctrl-C raises ``Stopped``, at the end of a ``finishes_first`` block where there is one.

    The second one ends the process at once, as the system does it. A signal that was ignored before stays ignored, as Ctrl-C is
    for a background job; outside the main thread, which alone can listen, nothing is changed.

    Args:
        how_to_go_on: ends the message of ``Stopped``.

    Raises:
        Stopped: a signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: object) -> None:
        for handled in before:
            signal.signal(handled, signal.SIG_DFL)
        # Kept as well as raised: an exception is lost where Python cannot raise, in a destructor for example.
        _Pending.stopped = Stopped(f"stopped by {signal.Signals(number).name}; {how_to_go_on}")
        if not _Pending.holds:
            raise _Pending.stopped

    before = {number: signal.getsignal(number) for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
        stop_here()
    finally:
        # A stop that is under way leaves the handlers as it made them: whoever signals twice does not want to wait for the end.
        if _Pending.stopped is None:
            for number, handler in before.items():
                signal.signal(number, handler)
        _Pending.stopped = None


@contextmanager
def finishes_first() -> Iterator[None]:
    """What is done within is finished before a signal is obeyed; for short work that would leave something half-done."""
    _Pending.holds += 1
    try:
        yield
    finally:
        _Pending.holds -= 1
    stop_here()


def stop_here() -> None:
    """Obeys a signal that came and has not been obeyed.

    Raises:
        Stopped: there was one.
    """
    if _Pending.stopped is not None and not _Pending.holds:
        raise _Pending.stopped
