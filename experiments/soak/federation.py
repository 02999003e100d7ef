"""The federation that is soaked: phantoms, a plan, a workspace with a certificate for each site, and who is where."""

import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import yaml

from data_prep.phantom.generate import make_federation
from experiments.federation.certificates import request_certificates, sign_requests
from experiments.federation.plan import change_plan, plan_bytes, read_plan, set_rounds
from experiments.federation.processes import Processes, process_environment
from experiments.federation.scheme import PeerScheme
from experiments.federation.signals import stopped_by_signals
from experiments.federation.template import stage_template
from experiments.federation.workspaces import create_workspace, find_sites, link_cache, register_data
from experiments.soak.site_process import supervisor_script

HONEST = tuple(f"site_{letter}" for letter in "abcdef")
GARBAGE, RANDOM = "site_garbage", "site_random"
INSIDERS = (GARBAGE, RANDOM)
ROSTER = (*HONEST, *INSIDERS)
IMPOSTOR = "impostor"
PORT = 50061
PLAN = "gossip_phantom"
_CASES_PER_SITE = (10, 10, 9, 9, 8, 8)
_SETUP_TIMEOUT_S = 600
_SHARE_OF_PAUSES = 0.6
_FX = str(Path(sys.executable).parent / "fx")
CHANGES = (
    "task_runner.settings.steps_per_round=6",  # 240 steps in 40 rounds, as the phantoms were made for
    "collaborator.settings.exchange.schedule=random",  # bears sites that come and go best
    "collaborator.settings.completion.steps=12",
    "collaborator.settings.timing.connect_timeout_s=5",
    "collaborator.settings.timing.pull_timeout_s=60",
    "collaborator.settings.timing.closing_wait_s=1200",
    "collaborator.settings.timing.serve_after_s=1200",
)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long a soak's run is.

    Attributes:
        rounds: of training.
        pause_s: of each round, beside its computing.
    """

    rounds: int
    pause_s: float


def pace_of(minutes: float) -> Pace:
    """Four rounds in three minutes; their pauses alone take three fifths of the time, so that nobody is done early."""
    rounds = max(6, round(4 * minutes / 3))
    return Pace(rounds=rounds, pause_s=round(_SHARE_OF_PAUSES * 60 * minutes / rounds, 2))


def soak_plan(rounds: int, seed: int) -> dict:
    """The plan of the soak, without its pauses."""
    plan = read_plan(PLAN)
    set_rounds(plan, rounds)
    # Until a site knows something itself, it can tell no noise from a beginner; see docs/reliability.md.
    warm_up_rounds = max(1, rounds // 4)
    change_plan(plan, [*CHANGES, f"collaborator.settings.exchange.warm_up_rounds={warm_up_rounds}"])
    return with_seed(plan, seed, ROSTER)


def with_seed(plan: dict, seed: int, roster: Sequence[str]) -> dict:
    """The same plan of other sites, with other weights, batches and meetings."""
    changed = deepcopy(plan)
    for section in ("task_runner", "data_loader"):
        changed[section]["settings"]["random_seed"] = seed
    changed["collaborator"]["settings"]["roster"] = sorted(roster)
    changed["collaborator"]["settings"]["exchange"]["seed"] = seed
    return changed


def make_phantoms(folder: Path) -> None:
    """The honest sites' patients; the same at every call."""
    make_federation(folder, anatomy="liver", cases_per_site=_CASES_PER_SITE)


def make_workspaces(folder: Path, data: Path, plan: dict, addresses: Mapping[str, str]) -> dict[str, Path]:
    """A workspace for each of the roster, with certificate, first weights, addresses and the supervisor loop.

    Args:
        folder: of the soak; gets ``workspaces`` and ``logs``.
        data: the honest sites' datasets.
        plan: see ``soak_plan``; not changed, the workspaces' has the loader with pauses.
        addresses: by site.

    Returns:
        The workspaces by site.
    """
    plan = deepcopy(plan)
    loader = plan["data_loader"]
    loader["template"] = "paced_loader.PacedLoader"
    scheme = PeerScheme(plan, list(ROSTER))
    content, datasets, logs = plan_bytes(plan), find_sites(data), folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    template = stage_template(folder / "workspaces" / ".template")
    source = Path(__file__).with_name("paced_loader.py")
    (template / source.name).write_bytes(source.read_bytes())
    (template / "supervise.sh").write_text(supervisor_script(), encoding="utf-8")
    workspaces = {name: folder / "workspaces" / name for name in (scheme.authority, *ROSTER)}
    for workspace in workspaces.values():
        create_workspace(workspace, template, content, logs / "setup.log")
    for number, site in enumerate(ROSTER):
        register_data(workspaces[site], site, datasets[HONEST[number % len(HONEST)]].path)
        link_cache(workspaces[site] / loader["settings"]["cache_path"], folder / "cache" / site)
    with stopped_by_signals(Processes(logs, process_environment(1))) as processes:
        authority, members = workspaces[scheme.authority], {site: workspaces[site] for site in ROSTER}
        processes.start("fx plan initialize", [_FX, "plan", "initialize"], authority, logs / "initialize.log")
        request_certificates(processes, scheme.authority_commands(), authority, members, _SETUP_TIMEOUT_S)
        sign_requests(processes, authority, members, _SETUP_TIMEOUT_S)
    scheme.hand_out(workspaces)
    for site in ROSTER:
        _write_peers(workspaces[site], site, addresses)
    return {site: workspaces[site] for site in ROSTER}


def site_command(site: str) -> list[str]:
    """What an operator types, in the workspace."""
    return ["sh", "supervise.sh", _FX, "collaborator", "start", "-n", site, "-p", "plan/plan.yaml"]


def site_environment(pause_s: float) -> dict[str, str]:
    """One thread each: six sites share the machine."""
    return {**process_environment(1), "SOAK_PAUSE_S": str(pause_s)}


def _write_peers(workspace: Path, site: str, addresses: Mapping[str, str]) -> None:
    peers = {name: f"{addresses[name]}:{PORT}" for name in ROSTER if name != site}
    content = {"listen": f"0.0.0.0:{PORT}", "epoch": 1, "peers": peers}
    (workspace / "plan" / "peers.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
