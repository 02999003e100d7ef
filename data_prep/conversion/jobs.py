"""Many jobs, a process each: one that dies, crashes or hangs fails alone, and nothing it prints reaches anybody."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait

from data_prep.conversion.job_process import run_in_child

JOIN_S = 5.0
# Imported once, in the process from which the jobs' processes are forked.
PRELOADED = ["data_prep.conversion.warm_up"]


@dataclass(frozen=True, kw_only=True)
class JobEnd:
    """How a job ended: one of the two is a text, the other None.

    Attributes:
        result: what its function returned.
        failure: why there is no result, in plain words that say nothing of what was read.
    """

    result: str | None = None
    failure: str | None = None


@dataclass(kw_only=True)
class _Running:
    name: str
    process: multiprocessing.Process
    pipe: Connection
    deadline: float


def run_jobs(
    function: Callable[[object], str], arguments: Mapping[str, object], *, num_jobs: int, timeout_s: float
) -> Iterator[tuple[str, JobEnd]]:
    """Calls ``function(argument)`` for every argument, each in its own process.

    Args:
        function: of a module, so that another process finds it.
        arguments: name of the job -> what it gets; it must be picklable.
        num_jobs: processes at a time.
        timeout_s: how long one job may take.

    Yields:
        (name, how it ended), as they end. Closing the generator, or an exception in it such as Ctrl-C, ends all processes.
    """
    waiting = list(arguments.items())[::-1]
    context = start_server() if waiting else None
    running: dict[int, _Running] = {}
    try:
        while waiting or running:
            while waiting and len(running) < num_jobs:
                job = _start(context, function, *waiting.pop(), timeout_s)
                running[job.process.sentinel] = job
            for job in _ended(running):
                del running[job.process.sentinel]
                yield job.name, _end_of(job, timeout_s)
    finally:
        for job in running.values():
            job.process.kill()
        for job in running.values():
            job.process.join(JOIN_S)
            job.pipe.close()


def start_server() -> multiprocessing.context.BaseContext:
    """Starts the process that jobs are forked from, if it does not run: it imports everything and reads nothing.

    Called early, its imports cost no time of their own.

    Returns:
        What makes processes: forked ones, or fresh ones where the system has no such server.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    # Ctrl-C goes to every process of the terminal. Only this one answers it; the server and its children inherit the mask.
    resource_tracker.ensure_running()  # which the server wants, and which lifts the mask: so it comes first
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _silent_errors():
            forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


@contextmanager
def _silent_errors() -> Iterator[None]:
    """Processes started meanwhile have nowhere to complain: when this one dies, the server may be in the middle of a start."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _start(context, function: Callable[[object], str], name: str, argument: object, timeout_s: float) -> _Running:
    ours, theirs = context.Pipe()
    process = context.Process(target=run_in_child, args=(theirs, function, argument), daemon=True)
    process.start()
    theirs.close()
    return _Running(name=name, process=process, pipe=ours, deadline=time.monotonic() + timeout_s)


def _ended(running: Mapping[int, _Running]) -> list[_Running]:
    """Waits for the next jobs that answered, died or ran out of time."""
    left_s = max(0.0, min(job.deadline for job in running.values()) - time.monotonic())
    ready = set(wait([*running, *(job.pipe for job in running.values())], timeout=left_s))
    now = time.monotonic()
    return [job for key, job in running.items() if key in ready or job.pipe in ready or job.deadline <= now]


def _end_of(job: _Running, timeout_s: float) -> JobEnd:
    try:
        if job.pipe.poll():
            kind, text = job.pipe.recv()
            return JobEnd(**{kind: text})
    except (EOFError, OSError):
        pass  # it died before or while it answered: told below
    finally:
        late = job.deadline <= time.monotonic()
        if late:
            job.process.kill()
        job.process.join(JOIN_S)
        job.process.kill()
        job.process.join()
        job.pipe.close()
    return JobEnd(failure=_death(job.process.exitcode, late, timeout_s))


def _death(exit_code: int | None, late: bool, timeout_s: float) -> str:
    if late:
        return f"it took longer than {timeout_s / 60:.0f} minutes and was stopped"
    if exit_code == -signal.SIGKILL:
        return "the converter was killed while reading it, most likely for want of memory; try again with --jobs 1"
    name = signal.Signals(-exit_code).name if exit_code and -exit_code in set(signal.Signals) else f"exit code {exit_code}"
    return f"the converter died while reading it ({name})"
