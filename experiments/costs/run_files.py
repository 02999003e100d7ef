"""Reads what the finished runs of a study say of their costs."""

import json
from collections.abc import Mapping
from pathlib import Path

from experiments.costs.measured_run import MeasuredRun, Pull, SiteCost
from experiments.federation.results import read_run_plan
from experiments.study_folder import done_runs, read_study, seed_of_folder
from src.errors import FederationError
from src.exchange.settings import ExchangeSettings, TimingSettings
from src.peer_plan import is_peer_plan

_SERVER_WIRE_DTYPE = "float32"  # OpenFL's NoCompressionPipeline, the only one that this project's plans name.


def read_runs(study_folder: Path) -> list[MeasuredRun]:
    """The finished runs of a study.

    Args:
        study_folder: with ``study.yaml`` and ``train/<scheme>/seed_<n>``.

    Returns:
        In the order of the study's schemes, then by seed; unfinished runs are left out, so an unstarted study has none.

    Raises:
        StudyFolderError: the folder is no study's.
        FederationError: a finished run does not say what it should.
    """
    finish_rounds = read_study(study_folder)["local_finish_rounds"]
    return [
        read_run(folder, scheme, seed_of_folder(folder), finish_rounds)
        for scheme, folders in done_runs(study_folder).items()
        for folder in folders
    ]


def read_run(folder: Path, scheme: str, seed: int, local_finish_rounds: int) -> MeasuredRun:
    """One run's ``cost.json``, ``config/plan.yaml`` and ``config/run.json``.

    Raises:
        FederationError: one of them lacks something.
    """
    try:
        cost, circumstances = _read_json(folder / "cost.json"), _read_json(folder / "config" / "run.json")
        plan = read_run_plan(folder)
        sites = {site: SiteCost(**entry) for site, entry in cost["sites"].items()}
        finish = cost["local_finish"]
        run = MeasuredRun(
            scheme=scheme,
            seed=seed,
            model_bytes=cost["model_bytes"],
            sites=sites,
            pulls=tuple(Pull(**entry) for entry in cost["exchanges"] if entry["received_bytes"]),
            local_rounds=local_finish_rounds if finish else 0,
            local_finish_cpu_seconds=dict(finish["cpu_seconds"]) if finish else None,
            local_finish_steps=dict(finish.get("steps") or {}) if finish else {},
            valid_cases={site: circumstances["sites"][site]["cases"]["valid"] for site in sites},
            **(_of_peer_plan(plan) if is_peer_plan(plan) else _of_server_plan(plan, len(sites))),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FederationError(
            f"expected the costs of a finished run in '{scheme}/{folder.name}', found {type(error).__name__}: {error}; remove "
            "its done.json to have it run again"
        ) from error
    _check(run)
    return run


def _of_peer_plan(plan: Mapping) -> dict:
    settings = plan["collaborator"]["settings"]
    exchange, rounds = ExchangeSettings(**settings["exchange"]), settings["rounds"]
    return {
        "kind": {"none": "individual", "chain": "cyclic"}.get(exchange.schedule, "gossip"),
        "rounds": rounds,
        "exchange_rounds": tuple(number for number in range(rounds) if exchange.exchange_at(number, rounds) is not None),
        "wire_dtype": exchange.wire_dtype,
        "local_rounds_at_end": exchange.local_rounds_at_end,
        "timing": TimingSettings(**settings["timing"]),
    }


def _of_server_plan(plan: Mapping, num_sites: int) -> dict:
    # The closing validation counts as a round of its own there.
    rounds = plan["aggregator"]["settings"]["rounds_to_train"] - 1
    federated = "fedprox" if plan["task_runner"]["settings"]["proximal_mu"] else "fedavg"
    return {
        "kind": federated if num_sites > 1 else "pooled",
        "rounds": rounds,
        "exchange_rounds": tuple(range(rounds)),
        "wire_dtype": _SERVER_WIRE_DTYPE,
        "local_rounds_at_end": 0,
        "timing": None,
    }


def _check(run: MeasuredRun) -> None:
    idle = [site for site, cost in run.sites.items() if not 0 < cost.steps <= cost.network_steps]
    if idle:
        raise FederationError(f"cost.json of {run.scheme}, seed {run.seed}: expected 0 < steps <= network_steps at {idle[0]}")
    if not 0 <= run.local_rounds < run.rounds:
        raise FederationError(
            f"{run.scheme}: expected local_finish_rounds below the {run.rounds} rounds of the run, found {run.local_rounds}"
        )


def _read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
