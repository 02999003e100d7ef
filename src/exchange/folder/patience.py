"""Calls that end in time, whatever they wait for: a network mount whose server is gone holds a reader for ever."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from src.exchange.transport import PeerUnreachable

_Result = TypeVar("_Result")


class PatientCalls:
    """One call at a time, in a thread that is left behind when it takes too long; no other begins until it has come back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def call(self, task: Callable[[], _Result], timeout_s: float) -> _Result:
        """What the task returns or raises.

        Raises:
            PeerUnreachable: it has not come back in time, or an earlier one has not.
        """
        deadline = time.monotonic() + timeout_s
        if not self._lock.acquire(timeout=max(0.0, timeout_s)):
            raise PeerUnreachable("the folder is still busy with an earlier question")
        try:
            if self._thread is not None:
                self._thread.join(max(0.0, deadline - time.monotonic()))
                if self._thread.is_alive():
                    raise PeerUnreachable("the folder has not answered an earlier question yet; is its mount alive?")
            results: list[_Result] = []
            errors: list[BaseException] = []
            self._thread = threading.Thread(target=_run, args=(task, results, errors), daemon=True, name="exchange-folder")
            self._thread.start()
            self._thread.join(max(0.001, deadline - time.monotonic()))
        finally:
            self._lock.release()
        if errors:
            raise errors[0]
        if not results:
            raise PeerUnreachable("the folder does not answer in time; is its mount alive?")
        return results[0]


def _run(task: Callable, results: list, errors: list) -> None:
    try:
        results.append(task())
    except BaseException as error:
        errors.append(error)
