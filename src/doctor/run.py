"""Runs all checks side by side; none can stop another, none can hang the command, and none can raise."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, Queue

from src.doctor.finding import Finding, failed, not_checked
from src.doctor.shared_fact import Unavailable
from src.doctor.workplace import Workplace

Check = tuple[str, Callable[[Workplace], Iterable[Finding]]]

# Calls to others have limits of their own, a few seconds; this is for a disk or a driver that never answers.
LIMIT_S = 30.0
_LOOK_S = 0.5


def examine(place: Workplace, checks: Sequence[Check], limit_s: float = LIMIT_S) -> Iterator[Finding]:
    """Yields what each check found, in the order of ``checks``, as soon as it is known.

    Args:
        place: what is looked at.
        checks: name and function of each.
        limit_s: for all together, beside loading the packages of the run; what has not ended then has failed.
    """
    began = time.monotonic()
    for name, answer in [(name, _begin(name, check, place)) for name, check in checks]:
        findings = _wait(answer, lambda: place.left_s(began, limit_s))
        if findings is not None:
            yield from findings
        else:
            cause = f"did not end within {limit_s:g} s; a disk, a network drive or a driver may not answer"
            yield failed(name, cause, "ls -ld . cache local_state cert; df -h . /dev/shm; nvidia-smi")


def _wait(answer: Queue, left_s: Callable[[], float]) -> list[Finding] | None:
    """What a check found; None when it has not ended in time, which may grow while it is waited for."""
    while True:
        left = left_s()
        with suppress(Empty):
            return answer.get(timeout=min(_LOOK_S, max(0.0, left)))
        if left <= 0:
            return None


def _begin(name: str, check: Callable[[Workplace], Iterable[Finding]], place: Workplace) -> Queue:
    answer: Queue = Queue()
    # A daemon: what waits for a dead network drive cannot be ended, and must not keep the command.
    threading.Thread(target=lambda: answer.put(_guarded(name, check, place)), daemon=True, name=f"doctor-{name}").start()
    return answer


def _guarded(name: str, check: Callable[[Workplace], Iterable[Finding]], place: Workplace) -> list[Finding]:
    try:
        return list(check(place))
    except Unavailable as missing:
        return [not_checked(name, missing.what)]
    except Exception as error:
        return [failed(name, f"the check itself failed ({type(error).__name__}: {error})", "python -m src.plan_check <plan>")]
