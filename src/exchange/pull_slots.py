"""Who may pull at the moment: one pull a caller, a few in all, and an end to those that no longer move."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

_LOOK_EVERY_S = 0.5


class Call(Protocol):
    """What is needed of a running call."""

    def cancel(self) -> None:
        """Ends it, whatever it waits for."""


class Busy(Exception):
    """All slots are taken; worth another try soon."""


@dataclass
class Pull:
    """A running pull; ``moved_at`` is when its caller last took a piece."""

    call: Call
    started_at: float
    moved_at: float

    def moved(self) -> None:
        """The caller has taken another piece."""
        self.moved_at = time.monotonic()


class PullSlots:
    """Slots for pulls, and a thread that looks after them until ``close``.

    Args:
        max_pulls: at a time, of all callers; at least 1.
        stall_s: after which a pull whose caller takes nothing is ended.
        limit_s: after which any pull is ended; its caller goes on from where it is with another.
    """

    def __init__(self, max_pulls: int, *, stall_s: float, limit_s: float) -> None:
        self._max_pulls, self._stall_s, self._limit_s = max_pulls, stall_s, limit_s
        self._lock = threading.Lock()
        self._running: dict[str, Pull] = {}
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._look_after, daemon=True, name="exchange-pulls")
        self._watch.start()

    @contextmanager
    def taken_by(self, caller: str, call: Call) -> Iterator[Pull]:
        """Holds a slot; an older pull of the same caller is ended, for its line is probably dead.

        Raises:
            Busy: the others have taken all slots.
        """
        now = time.monotonic()
        pull = Pull(call, now, now)
        with self._lock:
            older = self._running.get(caller)
            if older is None and len(self._running) >= self._max_pulls:
                raise Busy(f"{self._max_pulls} pulls are running")
            self._running[caller] = pull
        if older is not None:
            older.call.cancel()
        try:
            yield pull
        finally:
            with self._lock:
                if self._running.get(caller) is pull:
                    del self._running[caller]

    def close(self) -> None:
        """Ends the thread; running pulls are the server's to end."""
        self._closed.set()
        self._watch.join()

    def _look_after(self) -> None:
        while not self._closed.wait(min(_LOOK_EVERY_S, self._stall_s)):
            now = time.monotonic()
            with self._lock:
                pulls = list(self._running.values())
            for pull in pulls:
                if now - pull.moved_at > self._stall_s or now - pull.started_at > self._limit_s:
                    pull.call.cancel()
