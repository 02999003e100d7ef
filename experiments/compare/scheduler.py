"""Works through a study's jobs: as many at a time as there are processes, each as soon as what it needs is done."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from experiments.compare.estimate import Measured, TimeLeft, chain_lengths, time_left
from experiments.compare.jobs import Job, waiting_on
from experiments.compare.journal import Entry, note, read_journal
from experiments.compare.measure import RunMeter
from experiments.compare.processes import JobProcesses

_POLL_S = 0.05
_METER_S = 2.0
_LAST_LINES, _LINE_CHARACTERS = 12, 800


@dataclass(kw_only=True)
class Running:
    """A job at work.

    Attributes:
        job: which.
        log: its output.
        meter: of its run's folder.
        began: monotonic seconds.
    """

    job: Job
    log: Path
    meter: RunMeter
    began: float

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1; 0 for a job that trains nothing."""
        return min(1.0, self.meter.steps / self.job.steps) if self.job.steps else 0.0

    @property
    def measured(self) -> Measured:
        """What it took until now."""
        seconds = time.monotonic() - self.began
        return Measured(kind=self.job.kind, scheme=self.job.scheme, seconds=seconds, steps=self.meter.taken)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A job that failed, and what of it a person needs to know."""

    job: Job
    reason: str


class Scheduler:
    """The state of a study's jobs, and what moves it on.

    Args:
        folder: of the study.
        jobs: all of them by name, each after those it needs.
        processes: that run them.
        at_a_time: how many.
        command_of: the command line of a job.
    """

    def __init__(
        self,
        folder: Path,
        jobs: Mapping[str, Job],
        processes: JobProcesses,
        at_a_time: int,
        command_of: Callable[[Job], Sequence[str]],
    ) -> None:
        self.folder, self.jobs, self.at_a_time = folder, dict(jobs), at_a_time
        self._processes, self._command_of = processes, command_of
        self.done = {name for name, job in self.jobs.items() if (folder / job.done).is_file()}
        self.running: dict[str, Running] = {}
        self.failed: dict[str, Failure] = {}
        self.skipped: set[str] = set()
        kept = [entry for entry in read_journal(folder) if entry.outcome == "done"]
        self._measured = [_measured(entry) for entry in kept]
        self._looked = 0.0

    def run(self, look: Callable[[], None], ended: Callable[[Job, float], None]) -> None:
        """Does what is not done.

        Args:
            look: called a few times a second.
            ended: called with every job that ended, and its seconds.

        Raises:
            KeyboardInterrupt: a stop was asked for.
        """
        while True:
            for name, code in self._processes.ended().items():
                running = self.running.pop(name)
                self._take(running, code)
                ended(running.job, running.measured.seconds)
            self._start_next()
            if not self.running:
                return
            self._read_meters()
            look()
            time.sleep(_POLL_S)

    @property
    def waiting(self) -> list[str]:
        """Jobs that are neither done nor begun nor given up, in the order they will be begun in as far as they can."""
        left = [name for name in self.jobs if name not in self.done | self.failed.keys() | self.skipped | self.running.keys()]
        chains = chain_lengths(self.jobs, {name: job.steps + 1.0 for name, job in self.jobs.items()})
        return sorted(left, key=lambda name: (not self.jobs[name].core, -chains[name]))

    def time_left(self) -> TimeLeft:
        """How long until nothing is left to do."""
        left = {**dict.fromkeys(self.waiting, 1.0), **{name: 1 - entry.share for name, entry in self.running.items()}}
        measured = [*self._measured, *(entry.measured for entry in self.running.values() if entry.job.steps)]
        return time_left(self.jobs, left, measured, self.at_a_time)

    def _start_next(self) -> None:
        for name in self.waiting:
            if len(self.running) >= self.at_a_time:
                return
            job = self.jobs[name]
            if self.done.issuperset(job.needs):
                meter = RunMeter(self.folder / name)
                if job.steps:
                    meter.read()
                log = self._processes.start_job(name, self._command_of(job))
                self.running[name] = Running(job=job, log=log, meter=meter, began=time.monotonic())

    def _read_meters(self) -> None:
        if time.monotonic() - self._looked > _METER_S:
            self._looked = time.monotonic()
            for entry in self.running.values():
                if entry.job.steps:
                    entry.meter.read()

    def _take(self, running: Running, code: int) -> None:
        """Notes how a job ended."""
        job = running.job
        if job.steps:
            running.meter.read()
        is_done = code == 0 and (self.folder / job.done).is_file()
        if is_done:
            self.done.add(job.name)
            self._measured.append(running.measured)
        else:
            self.failed[job.name] = Failure(job=job, reason=_reason(running, code))
            self._skip_those_after(job.name)
        entry = Entry(
            name=job.name,
            kind=job.kind,
            scheme=job.scheme,
            outcome="done" if is_done else "failed",
            seconds=round(running.measured.seconds, 2),
            steps=running.measured.steps,
            when=f"{datetime.now():%Y-%m-%d %H:%M:%S}",
        )
        note(self.folder, entry)

    def _skip_those_after(self, name: str) -> None:
        for other in waiting_on(self.jobs)[name]:
            if other not in self.done:
                self.skipped.add(other)
                self._skip_those_after(other)


def _measured(entry: Entry) -> Measured:
    return Measured(kind=entry.kind, scheme=entry.scheme, seconds=entry.seconds, steps=entry.steps)


def _reason(running: Running, code: int) -> str:
    """How it ended, and the end of its log."""
    if code == 0:
        how = f"ended well and left no {running.job.done.name}"
    else:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    lines = [line for line in running.log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    tail = "\n".join(f"    {line[:_LINE_CHARACTERS]}" for line in lines[-_LAST_LINES:])
    return f"{running.job.name} {how}; the end of logs/{running.log.name}:\n{tail}"
