"""The whole of a one-machine federation, from datasets to a run folder."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from experiments.federation.certificates import request_certificates, sign_requests
from experiments.federation.plan import address_plan, change_plan, free_port, is_listening, plan_bytes, read_plan
from experiments.federation.processes import Processes
from experiments.federation.progress import MetricsReader, Progress
from experiments.federation.results import keep_models, merge_metrics, write_config, write_summary
from experiments.federation.template import stage_template
from experiments.federation.workspaces import AGGREGATOR, create_workspace, find_sites, register_data
from src.data.dataset import Dataset
from src.environment import check_numpy, check_python
from src.errors import FederationError, PlanSettingError

_FX = str(Path(sys.executable).parent / "fx")
_SETUP_TIMEOUT_S = 600
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


@dataclass(frozen=True, kw_only=True)
class FederationSettings:
    """What is to be run.

    Attributes:
        plan: a folder of ``plan/plans``.
        data: folder with one dataset per site.
        output: the run folder; made, must not be there or be empty.
        changes: ``section.key=value`` changes to the plan, before its hash is taken.
        initial_weights: a saved model all sites start from, or None for fresh ones.
        cache: folder for prepared cases, one below it per site, kept between runs; None keeps them in the workspaces.
        timeout_s: how long training may take.
    """

    plan: str
    data: Path
    output: Path
    changes: Sequence[str] = ()
    initial_weights: Path | None = None
    cache: Path | None = None
    timeout_s: float = 24 * 3600


def run_federation(settings: FederationSettings, console: Console | None = None) -> Path:
    """Runs a federation with real fx processes over mutual TLS, and nothing shared between sites but the network.

    Returns:
        The run folder: ``config/``, ``logs/``, ``metrics.jsonl``, ``save/<site>/``, ``summary.txt``, ``summary.json`` and the
        workspaces.

    Raises:
        OarError: a setting, a dataset or a process failed; every process this run started has ended.
        KeyboardInterrupt: it was stopped; every process this run started has ended.
    """
    check_python()
    check_numpy()
    console = console or Console()
    sites = find_sites(settings.data)
    plan = read_plan(settings.plan)
    change_plan(plan, settings.changes)
    port = free_port()
    address_plan(plan, port)
    run = _open_run_folder(settings.output)
    threads = max(1, len(os.sched_getaffinity(0)) // len(sites))
    facts = {"plan": settings.plan, "command": sys.argv, "changes": list(settings.changes), "threads_per_site": threads}
    write_config(run, plan_bytes(plan), sites, facts)
    with _stoppable(Processes(run / "logs", _environment(threads))) as processes:
        workspaces = _set_up(settings, plan, sites, processes, console)
        began = time.monotonic()
        reader = _train(settings, port, sites, workspaces, processes, console)
    keep_models(run, workspaces)
    console.print(write_summary(run, settings.plan, reader.events, time.monotonic() - began), highlight=False, soft_wrap=True)
    return run


def _set_up(
    settings: FederationSettings, plan: dict, sites: dict[str, Dataset], processes: Processes, console: Console
) -> dict[str, Path]:
    """Workspaces, certificates and the initial model; the aggregator is in the workspaces too."""
    run = settings.output
    console.print(
        f"{len(sites)} sites: making workspaces, certificates and the initial model in {run}", highlight=False, soft_wrap=True
    )
    template = stage_template(run / "workspaces" / ".template")
    (template / "plan" / "plan.yaml").write_bytes(plan_bytes(plan))
    workspaces = {name: run / "workspaces" / name for name in (AGGREGATOR, *sites)}
    for workspace in workspaces.values():
        create_workspace(workspace, template, plan_bytes(plan), run / "logs" / "setup.log")
    for site, dataset in sites.items():
        register_data(workspaces[site], site, dataset.path)
        if settings.cache:
            _link_cache(workspaces[site], plan["data_loader"]["settings"]["cache_path"], settings.cache / site)
    members = {site: workspaces[site] for site in sites}
    weights = ["-i", str(settings.initial_weights.resolve())] if settings.initial_weights else []
    processes.start(
        "fx plan initialize", [_FX, "plan", "initialize", *weights], workspaces[AGGREGATOR], run / "logs" / "initialize.log"
    )
    request_certificates(processes, workspaces[AGGREGATOR], members, _SETUP_TIMEOUT_S)
    sign_requests(processes, workspaces[AGGREGATOR], members, _SETUP_TIMEOUT_S)
    return workspaces


def _train(
    settings: FederationSettings,
    port: int,
    sites: dict[str, Dataset],
    workspaces: dict[str, Path],
    processes: Processes,
    console: Console,
) -> MetricsReader:
    """Starts every participant and waits for all of them; whatever happens, the metrics so far are kept."""
    logs = settings.output / "logs"
    reader = MetricsReader({site: workspaces[site] / "logs" / site / "metrics.jsonl" for site in sites})
    try:
        with Progress(reader, console) as progress:
            processes.start(AGGREGATOR, [_FX, "aggregator", "start"], workspaces[AGGREGATOR], logs / f"{AGGREGATOR}.log")
            # What keeps it from listening is said before any site has read a patient.
            processes.wait(_SETUP_TIMEOUT_S, until=lambda: is_listening(port))
            for site in sites:
                processes.start(site, [_FX, "collaborator", "start", "-n", site], workspaces[site], logs / f"{site}.log")
            processes.wait(settings.timeout_s, progress.look)
    finally:
        reader.read()
        merge_metrics(settings.output, reader.events)
    return reader


@contextmanager
def _stoppable(processes: Processes) -> Iterator[Processes]:
    """Processes that end on Ctrl-C, SIGTERM or a closed terminal; only the main thread can listen for those."""
    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, processes.request_stop) for number in handled}
    try:
        with processes:
            yield processes
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _environment(threads: int) -> dict[str, str]:
    """What the processes inherit: not PYTHONPATH, so that each runs the code of its own workspace."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**inherited, **dict.fromkeys(_THREAD_VARIABLES, str(threads)), "PYTHONUNBUFFERED": "1"}


def _open_run_folder(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FederationError(f"expected an empty or new run folder, found '{folder.name}' in use; choose another --output")
    (folder / "logs").mkdir(parents=True)
    return folder


def _link_cache(workspace: Path, cache_path: str, target: Path) -> None:
    if Path(cache_path).is_absolute():
        raise PlanSettingError(f"--cache needs a relative data_loader.settings.cache_path, found '{cache_path}'; leave one out")
    target.mkdir(parents=True, exist_ok=True)
    (workspace / cache_path).symlink_to(target.resolve(), target_is_directory=True)
