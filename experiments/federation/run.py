"""The whole of a one-machine federation, from datasets to a run folder."""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from experiments.federation.certificates import request_certificates, sign_requests
from experiments.federation.plan import change_plan, plan_bytes, read_plan, set_rounds
from experiments.federation.processes import Processes, process_environment
from experiments.federation.progress import MetricsReader, Progress
from experiments.federation.results import keep_models, merge_metrics, model_bytes, write_config, write_summary
from experiments.federation.scheme import scheme_of
from experiments.federation.signals import stopped_by_signals
from experiments.federation.template import stage_template
from experiments.federation.took_part import read_participation
from experiments.federation.workspaces import create_workspace, find_sites, link_cache, register_data
from src.environment import check_numpy, check_python
from src.errors import FederationError, PlanSettingError
from src.model.card import read_card
from src.plan_sections import check_plan

_FX = str(Path(sys.executable).parent / "fx")
_SETUP_TIMEOUT_S = 600


@dataclass(frozen=True, kw_only=True)
class FederationSettings:
    """What is to be run.

    Attributes:
        plan: a folder of ``plan/plans``.
        data: folder with one dataset per site.
        output: the run folder; made, must not be there or be empty.
        rounds: of training; None leaves the plan's.
        changes: ``section.key=value`` changes to the plan, before its hash is taken; they come after ``rounds``.
        initial_weights: a saved model all sites start from, or None for fresh ones.
        cache: folder for prepared cases, one below it per site, kept between runs; None keeps them in the workspaces.
        timeout_s: how long training may take.
    """

    plan: str
    data: Path
    output: Path
    rounds: int | None = None
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
    federation = _Federation(settings, console or Console())
    federation.open_run_folder()
    with stopped_by_signals(Processes(settings.output / "logs", process_environment(federation.threads))) as processes:
        federation.make_workspaces()
        federation.make_certificates_and_model(processes)
        federation.train(processes)
    federation.keep_results()
    return settings.output


class _Federation:
    """One federation, step by step; what can be refused is refused before anything is written."""

    def __init__(self, settings: FederationSettings, console: Console) -> None:
        self.settings, self.console, self.run = settings, console, settings.output
        self.sites = find_sites(settings.data)
        plan = read_plan(settings.plan)
        if settings.rounds is not None:
            set_rounds(plan, settings.rounds)
        change_plan(plan, settings.changes)
        self.scheme = scheme_of(plan, list(self.sites))
        check_plan(plan)
        self.plan = plan_bytes(plan)
        self.cache_path = plan["data_loader"]["settings"]["cache_path"]
        if settings.cache and Path(self.cache_path).is_absolute():
            raise PlanSettingError(f"--cache needs a relative data_loader.settings.cache_path, found '{self.cache_path}'")
        if settings.initial_weights:
            read_card(settings.initial_weights)
        self.threads = max(1, len(os.sched_getaffinity(0)) // len(self.sites))
        self.workspaces = {name: self.run / "workspaces" / name for name in (self.scheme.authority, *self.sites)}
        self.reader = MetricsReader({site: self._metrics_of(site) for site in self.sites})
        self.events: dict[str, list[dict]] = {}
        self.training_seconds = 0.0

    def open_run_folder(self) -> None:
        if self.run.exists() and (not self.run.is_dir() or any(self.run.iterdir())):
            raise FederationError(
                f"expected an empty or new run folder, found '{self.run.name}' in use; choose another --output"
            )
        (self.run / "logs").mkdir(parents=True)
        changes = list(self.settings.changes)
        facts = {"plan": self.settings.plan, "command": sys.argv, "rounds": self.settings.rounds, "changes": changes}
        facts["threads_per_site"] = self.threads
        write_config(self.run, self.plan, self.sites, facts)

    def make_workspaces(self) -> None:
        self._say(f"{len(self.sites)} sites: making workspaces, certificates and the initial model in {self.run}")
        template = stage_template(self.run / "workspaces" / ".template")
        (template / "plan" / "plan.yaml").write_bytes(self.plan)
        for workspace in self.workspaces.values():
            create_workspace(workspace, template, self.plan, self.run / "logs" / "setup.log")
        for site, dataset in self.sites.items():
            register_data(self.workspaces[site], site, dataset.path)
            if self.settings.cache:
                link_cache(self.workspaces[site] / self.cache_path, self.settings.cache / site)

    def make_certificates_and_model(self, processes: Processes) -> None:
        authority = self.workspaces[self.scheme.authority]
        members = {site: self.workspaces[site] for site in self.sites}
        weights = ["-i", str(self.settings.initial_weights.resolve())] if self.settings.initial_weights else []
        initialize = [_FX, "plan", "initialize", *weights]
        processes.start("fx plan initialize", initialize, authority, self.run / "logs" / "initialize.log")
        request_certificates(processes, self.scheme.authority_commands(), authority, members, _SETUP_TIMEOUT_S)
        sign_requests(processes, authority, members, _SETUP_TIMEOUT_S)
        self.scheme.hand_out(self.workspaces)

    def train(self, processes: Processes) -> None:
        """Starts every participant and waits for all of them; whatever happens, the metrics so far are kept."""

        def launch(name: str, *arguments: str) -> None:
            processes.start(name, [_FX, *arguments], self.workspaces[name], self.run / "logs" / f"{name}.log")

        began = time.monotonic()
        try:
            with Progress(self.reader, self.console) as progress:
                self.scheme.start(launch, lambda until: processes.wait(_SETUP_TIMEOUT_S, until=until))
                processes.wait(self.settings.timeout_s, progress.look)
        finally:
            self.training_seconds = time.monotonic() - began
            others = MetricsReader({name: self._metrics_of(name) for name in self.scheme.reporters})
            others.read()
            self.reader.read()
            self.events = {**others.events, **self.reader.events}
            merge_metrics(self.run, self.events)

    def keep_results(self) -> None:
        keep_models(self.run, self.workspaces, self.sites, self.scheme.model_files)
        traffic = self.scheme.traffic(self.events, model_bytes(self.run, self.sites))
        participation = read_participation({site: self.workspaces[site] for site in self.sites})
        summary = write_summary(self.run, self.settings.plan, self.reader.events, traffic, self.training_seconds, participation)
        self._say(summary)

    def _metrics_of(self, name: str) -> Path:
        return self.workspaces[name] / "logs" / name / "metrics.jsonl"

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)
