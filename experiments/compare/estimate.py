"""How long a study still takes, from nothing but what was measured in it.

Trainings are measured in seconds per optimiser step, each scheme's own where it has trained already and that of all schemes
together where not; scoring in seconds per job. What was never measured is not guessed: it is named as left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.compare.jobs import Job, waiting_on


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Work that took time.

    Attributes:
        kind, scheme: of the job.
        seconds: it took, on one of the processes.
        steps: optimiser steps taken in them; 0 where nothing is trained.
    """

    kind: str
    scheme: str
    seconds: float
    steps: int


@dataclass(frozen=True, kw_only=True)
class TimeLeft:
    """An estimate.

    Attributes:
        seconds: until everything is done; None when nothing was measured yet.
        unknown: kinds of jobs that are still to do and not in it, because none was measured.
    """

    seconds: float | None
    unknown: tuple[str, ...]


def time_left(jobs: Mapping[str, Job], left: Mapping[str, float], measured: Sequence[Measured], processes: int) -> TimeLeft:
    """Estimates the time until all jobs are done.

    Args:
        jobs: all of them.
        left: the share of each job that is still to do, above 0 up to 1; those done are not in it.
        measured: finished and running jobs, of this study.
        processes: that work at the same time.
    """
    rates = Rates(measured)
    seconds = {name: rates.seconds(jobs[name], share) for name, share in left.items()}
    known = {name: value for name, value in seconds.items() if value is not None}
    unknown = tuple(sorted({jobs[name].kind for name in seconds.keys() - known.keys()}))
    if left and not known:
        return TimeLeft(seconds=None, unknown=unknown)
    # However many processes there are, what needs each other comes one after the other.
    chains = chain_lengths(jobs, {name: known.get(name, 0.0) for name in jobs})
    return TimeLeft(seconds=max(sum(known.values()) / processes, max(chains.values(), default=0.0)), unknown=unknown)


def chain_lengths(jobs: Mapping[str, Job], lengths: Mapping[str, float]) -> dict[str, float]:
    """By job, its own length and that of the longest row of jobs that wait on it."""
    followers, chains = waiting_on(jobs), {}
    for name in reversed(list(jobs)):
        chains[name] = lengths[name] + max((chains[other] for other in followers[name]), default=0.0)
    return chains


class Rates:
    """What was measured, added up by scheme and by kind.

    Args:
        measured: see ``time_left``.
    """

    def __init__(self, measured: Sequence[Measured]) -> None:
        self._sums: dict[tuple[str, str | None], tuple[float, float]] = {}
        for entry in measured:
            amount = entry.steps if _trains(entry.kind) else 1
            if not amount:
                continue
            for scheme in (entry.scheme, None):
                key = _group(entry.kind), scheme
                seconds, total = self._sums.get(key, (0.0, 0.0))
                self._sums[key] = seconds + entry.seconds, total + amount

    def seconds(self, job: Job, share: float) -> float | None:
        """What is left of a job; None where nothing of its kind was measured."""
        seconds, amount = self._sums.get((_group(job.kind), job.scheme)) or self._sums.get((_group(job.kind), None), (0.0, 0.0))
        return share * (job.steps if _trains(job.kind) else 1) * seconds / amount if amount else None


def _trains(kind: str) -> bool:
    return kind in ("search", "train")


def _group(kind: str) -> str:
    """A search trains as a training does."""
    return "train" if _trains(kind) else kind
