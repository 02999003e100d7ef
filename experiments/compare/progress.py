"""Shows how far a study is: a live table on a terminal, one line per finished job elsewhere."""

import time

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from experiments.compare.estimate import TimeLeft
from experiments.compare.jobs import Job
from experiments.compare.scheduler import Running, Scheduler
from experiments.federation.progress import clock

_REDRAW_S = 0.5
_SHOWN = 6  # of the jobs that wait


class Board:
    """What a person sees of a scheduler.

    Args:
        scheduler: whose jobs.
        console: where to show it.
    """

    def __init__(self, scheduler: Scheduler, console: Console) -> None:
        self.scheduler, self.console = scheduler, console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._drawn = 0.0

    def __enter__(self) -> "Board":
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def look(self) -> None:
        """Draws the table anew, where there is one and it is time."""
        if self.console.is_terminal and time.monotonic() - self._drawn > _REDRAW_S:
            self._drawn = time.monotonic()
            self._live.update(self.table(), refresh=True)

    def ended(self, job: Job, seconds: float) -> None:
        """Says how a job ended; on a terminal only when it failed, as the table says the rest."""
        failure = self.scheduler.failed.get(job.name)
        if failure:
            self.console.print(f"failed: {failure.reason}", highlight=False, soft_wrap=True, markup=False)
        elif not self.console.is_terminal:
            text = f"done: {job.name} in {clock(seconds)}; {self.counts()}"
            self.console.print(text, highlight=False, soft_wrap=True, markup=False)

    def counts(self) -> str:
        """How many jobs are done, and how long the others will take."""
        done, total = len(self.scheduler.done), len(self.scheduler.jobs)
        lost = len(self.scheduler.failed) + len(self.scheduler.skipped)
        text = f"{done} of {total} jobs done" + (f", {lost} failed or skipped" if lost else "")
        if done + lost == total:
            return f"{text}; nothing left to do"
        return f"{text}; {left_text(self.scheduler.time_left())}"

    def table(self) -> Group:
        """The jobs at work, and some of those that wait."""
        table = Table()
        for column in ("job", "round", "done", "for"):
            table.add_column(column, justify="left" if column == "job" else "right")
        for entry in self.scheduler.running.values():
            table.add_row(entry.job.name, _round(entry), f"{entry.share:.0%}" if entry.job.steps else "", _age(entry))
        waiting = self.scheduler.waiting
        for name in waiting[:_SHOWN]:
            table.add_row(name, "", "waits", "", style="dim")
        if len(waiting) > _SHOWN:
            table.add_row(f"and {len(waiting) - _SHOWN} more", "", "wait", "", style="dim")
        return Group(Text(self.counts()), table)


def left_text(left: TimeLeft) -> str:
    """An estimate in words."""
    if left.seconds is None:
        return "time left: not known before something is measured"
    without = f", without {' and '.join(left.unknown)}, of which nothing is measured yet" if left.unknown else ""
    return f"about {clock(left.seconds)} left{without}"


def _round(entry: Running) -> str:
    return f"{entry.meter.round} of {entry.job.rounds}" if entry.job.rounds else ""


def _age(entry: Running) -> str:
    return clock(entry.measured.seconds)
