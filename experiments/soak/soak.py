"""One soak, from datasets to a verdict."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from tqdm import tqdm

from experiments.soak.clocks import clock_environment, compile_clock
from experiments.soak.faults import LINE_FAULTS, draw_faults
from experiments.soak.federation import (
    HONEST,
    IMPOSTOR,
    ROSTER,
    make_phantoms,
    make_workspaces,
    pace_of,
    site_command,
    site_environment,
    soak_plan,
)
from experiments.soak.hostility import Hostility
from experiments.soak.injector import Injector
from experiments.soak.namespaces import Namespaces, address_of
from experiments.soak.network import Network
from experiments.soak.seen import Soaked
from experiments.soak.site_process import SiteProcess
from experiments.soak.watch import Watch
from src.errors import FederationError

KINDS = ("kill", "partition", "slow", "clock", "takeover", *LINE_FAULTS)
_LOOK_S, _READ_S, _SAMPLE_S = 0.1, 0.5, 3.0
# A soak that takes twice its time and a quarter of an hour has failed; it is ended then, and judged as it stands.
_PATIENCE_MINUTES = 15.0


@dataclass(frozen=True, kw_only=True)
class SoakSettings:
    """What is to be soaked.

    Attributes:
        output: the run folder; made, must not be there or be empty.
        data: folder of the honest sites' datasets; made.
        minutes: of wall-clock.
        seed: of the faults, the first weights and the batches.
    """

    output: Path
    data: Path
    minutes: float
    seed: int


def soak(settings: SoakSettings, console: Console) -> Soaked:
    """Runs the federation while everything goes wrong that the seed has drawn.

    Raises:
        NoNamespaces: this machine refuses network namespaces; nothing was run.
        FederationError: the folder is in use.
    """
    names = (*ROSTER, IMPOSTOR)
    addresses = {name: address_of(number) for number, name in enumerate(names)}
    faults = draw_faults(settings.seed, settings.minutes, HONEST)
    victim = next(fault.sites[0] for fault in faults if fault.kind == "takeover")
    with _ended_by_sigterm(), Namespaces(addresses, {IMPOSTOR: [addresses[victim]]}) as namespaces:
        _open_folder(settings.output)
        make_phantoms(settings.data)
        pace = pace_of(settings.minutes)
        plan = soak_plan(pace.rounds, settings.seed)
        console.print(f"making workspaces and certificates of {len(ROSTER)} sites in {settings.output}", highlight=False)
        workspaces = make_workspaces(settings.output, settings.data, plan, addresses)
        library = compile_clock(settings.output)
        with ExitStack() as stack:
            network = stack.enter_context(Network(addresses, namespaces.files, settings.seed))
            sites = {}
            for site in HONEST:
                off_s = sum(fault.parameters["off_s"] for fault in faults if fault.kind == "clock" and site in fault.sites)
                environment = {**site_environment(pace.pause_s), **clock_environment(off_s, library)}
                command = namespaces.command(site, *site_command(site))
                process = SiteProcess(site, command, workspaces[site], environment, settings.output / "logs" / f"{site}.log")
                sites[site] = stack.enter_context(process)
            hostility = stack.enter_context(Hostility(settings.output, settings.data, workspaces, namespaces, victim))
            watch = Watch(sites, workspaces)
            injector = Injector(faults, sites, network, settings.output / "faults.jsonl", watch.where)
            ended_s, seconds = _run(settings, sites, watch, injector, hostility)
            exit_codes = {site: process.exit_code() for site, process in sites.items()}
            return Soaked(
                seconds=seconds,
                plan=plan,
                rounds=pace.rounds,
                exit_codes=exit_codes,
                ended_s=ended_s,
                kills={site: process.kills for site, process in sites.items()},
                events=watch.events,
                samples=watch.samples,
                faults=injector.done,
                impostor=hostility.impostor_notes(),
                packets=network.count(),
                clock="Python's and the C library's time()" if library else "Python's alone: there is no C compiler here",
            )


def _run(
    settings: SoakSettings, sites: dict[str, SiteProcess], watch: Watch, injector: Injector, hostility: Hostility
) -> tuple[dict[str, float], float]:
    """Until the last site has ended or patience has; returns when each ended, and the seconds it took."""
    began, ended_s, read_s, sampled_s = time.monotonic(), {}, 0.0, 0.0
    total = len(sites) * pace_of(settings.minutes).rounds
    with tqdm(total=total, desc="rounds", disable=None, leave=False) as progress:
        while len(ended_s) < len(sites):
            now_s = time.monotonic() - began
            injector.step(now_s)
            if now_s - read_s >= _READ_S:
                read_s = now_s
                progress.update(sum(event["phase"] == "validate" for event in watch.read(now_s)))
                hostility.keep()
                ended_s |= {site: now_s for site in sites if site not in ended_s and sites[site].exit_code() is not None}
            if now_s - sampled_s >= _SAMPLE_S:
                sampled_s = now_s
                watch.sample(now_s)
            if now_s > 60 * (2 * settings.minutes + _PATIENCE_MINUTES):
                break
            time.sleep(_LOOK_S)
    injector.finish()
    seconds = time.monotonic() - began
    watch.read(seconds)
    return ended_s, seconds


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends a soak as Ctrl-C does: with all its processes and namespaces."""

    def stop(*_) -> None:
        raise KeyboardInterrupt("stopped by SIGTERM")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _open_folder(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise FederationError(f"expected a new or empty run folder, found '{folder.name}' in use; choose another --output")
    folder.mkdir(parents=True, exist_ok=True)
