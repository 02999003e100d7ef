"""Counts connections that never came to a call: gRPC refuses a wrong certificate by itself and tells its server nothing.

It does ask for the server's certificate whenever somebody connects, and a call shows which connection it came by. A caller's
own look at our certificate (see ``identity``) is a connection without a call as well; the caller says with its next call how
many it made.
"""

import threading
import time
from collections import OrderedDict, deque

_SETTLED_AFTER_S = 3.0  # after which a connection should have come to its first call
_REMEMBERED = 4096  # connections whose calls are known to have been counted
_MOST_CHECKS = 100  # that a caller may claim at once


class ConnectionCount:
    """How many connections there were, and how many of them are accounted for; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[float] = deque()
        self._settled = self._accounted = 0
        self._known: OrderedDict[str, None] = OrderedDict()

    def opened(self) -> None:
        """Somebody has connected."""
        with self._lock:
            self._recent.append(time.monotonic())
            self._settle()

    def called(self, connection: str, checks: int) -> None:
        """A call has come.

        Args:
            connection: gRPC's name of it.
            checks: connections that the caller says it opened only to look at our certificate.
        """
        with self._lock:
            self._accounted += min(max(checks, 0), _MOST_CHECKS)
            if connection not in self._known:
                self._accounted += 1
                self._known[connection] = None
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)

    def without_a_call(self) -> int:
        """Connections so far that came to nothing: no certificate, one that we do not trust, or a line that broke."""
        with self._lock:
            self._settle()
            return max(0, self._settled - self._accounted)

    def _settle(self) -> None:
        while self._recent and time.monotonic() - self._recent[0] > _SETTLED_AFTER_S:
            self._recent.popleft()
            self._settled += 1
