"""A whole comparison, from a study file to scores on validation patients."""

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from experiments.compare.errors import JobsFailed
from experiments.compare.jobs import Job, jobs_of, schemes_at_work
from experiments.compare.lock import study_lock
from experiments.compare.outcome import outcome_table, own_site_dice
from experiments.compare.plans import check_plans, sites_of
from experiments.compare.processes import JobProcesses
from experiments.compare.progress import Board
from experiments.compare.resolved import Resolved, begun_schemes
from experiments.compare.scheduler import Scheduler
from experiments.compare.study import Study
from experiments.compare.study_data import check_anatomy, make_data
from experiments.federation.signals import stopped_by_signals
from experiments.federation.workspaces import find_sites
from experiments.study_folder import STUDY_FILE
from experiments.table import render


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """What is to be compared.

    Attributes:
        study: with the seeds that are asked for.
        data: folder with one dataset per site.
        output: the study folder; made, or gone on with.
        processes: jobs at a time; None for as many as the machine has cores for.
    """

    study: Study
    data: Path
    output: Path
    processes: int | None = None


def compare(
    settings: CompareSettings,
    console: Console | None = None,
    command_of: Callable[[Job], Sequence[str]] | None = None,
) -> Path:
    """Does all jobs of a study that are not done yet.

    Args:
        settings: what.
        console: where to show how far it is.
        command_of: the command line of a job; by default that of ``experiments.compare.job``.

    Returns:
        The study folder.

    Raises:
        OarError: the study, the data or the folder was refused, before any job began.
        JobsFailed: some jobs failed; all others that could be done are done.
        KeyboardInterrupt: it was stopped; no job runs any more, and the same call goes on.
    """
    console = console or Console()
    datasets = find_sites(settings.data)
    sites = sorted(datasets)
    check_plans(settings.study, sites)
    check_anatomy(settings.study, datasets)
    settings.output.mkdir(parents=True, exist_ok=True)
    (settings.output / "logs").mkdir(exist_ok=True)
    with study_lock(settings.output) as lock:
        _prepare(settings, sites)
        jobs = jobs_of(settings.study, sites)
        with stopped_by_signals(JobProcesses(settings.output / "logs", lock)) as processes:
            scheduler = Scheduler(
                settings.output,
                jobs,
                processes,
                settings.processes or len(os.sched_getaffinity(0)),
                command_of or (lambda job: _command(settings, job)),
            )
            _work(scheduler, settings, console)
    if scheduler.failed:
        names = ", ".join(scheduler.failed)
        raise JobsFailed(
            f"{len(scheduler.failed)} jobs failed ({names}), {len(scheduler.skipped)} that need them were skipped, "
            f"{len(scheduler.done)} of {len(jobs)} are done; the same command tries again what is not done"
        )
    return settings.output


def _prepare(settings: CompareSettings, sites: Sequence[str]) -> None:
    """Writes study.yaml and makes the data that schemes need beside the sites' own."""
    resolved = Resolved.of(settings.study, settings.data, sites)
    if (settings.output / STUDY_FILE).is_file():
        resolved = resolved.joined(Resolved.read(settings.output), begun_schemes(settings.output))
    resolved.write(settings.output)
    for scheme in schemes_at_work(settings.study):
        make_data(settings.output, settings.data, scheme, sites_of(settings.study, scheme, sites))


def _work(scheduler: Scheduler, settings: CompareSettings, console: Console) -> None:
    board = Board(scheduler, console)
    _say(console, f"study '{settings.study.name}' in {settings.output}, {scheduler.at_a_time} jobs at a time: {board.counts()}")
    try:
        with board:
            scheduler.run(board.look, board.ended)
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(f"{stopped}; what is done stays done, and the same command goes on from here") from None
    finally:
        _say(console, board.counts())
    dice = own_site_dice(settings.output, {name: scheme.without for name, scheme in settings.study.schemes.items()})
    if dice:
        _say(console, render(outcome_table(dice)))
    _say(console, f"report: {report_command(settings.output, settings.data)}")


def report_command(folder: Path, data: Path) -> str:
    """The command that makes the report of a study folder."""
    runs = Path("runs").resolve()
    if folder.resolve().is_relative_to(runs):
        name = folder.resolve().relative_to(runs)
        return f"make report RUN={shlex.quote(str(name))} DATA={shlex.quote(str(data))}"
    return shlex.join([".venv/bin/python", "-m", "experiments.report", "--study", str(folder), "--data", str(data)])


def _command(settings: CompareSettings, job: Job) -> list[str]:
    places = ["--study", str(settings.output.resolve()), "--data", str(settings.data.resolve())]
    return [sys.executable, "-m", "experiments.compare.job", *places, "--job", job.name, "--end-with-stdin"]


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)
