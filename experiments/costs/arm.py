"""What each arm of a run cost each site: the run's own costs, or the part of them that the arm needed."""

from collections import defaultdict
from dataclasses import dataclass

from experiments.costs.measured_run import MeasuredRun, SiteCost


@dataclass(frozen=True, kw_only=True)
class ArmSite:
    """One site's costs in one arm and seed.

    Attributes:
        sent_bytes, received_bytes: with the closing ones; None where no models travel because the patients do (pooled).
        closing_sent_bytes, closing_received_bytes: of those, the ones after the last round, for completion and consensus.
        cpu_seconds: with the local finish.
        local_finish_cpu_seconds: of those, the local finish.
        steps: optimiser steps of the site's own model; None where a site only finishes what pooled data began and the run does
            not say in how many.
        network_steps: those and the ones of co-trained copies of peers.
        completion_steps: after the last round, for structures that the site never contoured.
        train_cases: patients it trained on; None at a site that only finishes what pooled data began.
    """

    sent_bytes: int | None
    received_bytes: int | None
    closing_sent_bytes: int | None
    closing_received_bytes: int | None
    cpu_seconds: float
    local_finish_cpu_seconds: float
    steps: float | None
    network_steps: float | None
    completion_steps: int
    train_cases: int | None


def arms_of(run: MeasuredRun) -> dict[str, dict[str, ArmSite]]:
    """Every arm of a run: costs by site.

    A ``_consensus`` arm costs what its run cost. A ``_local`` arm costs the rounds before the local finish, and the finish: the
    downloads up to and including that of the model it starts from, as listed; as large a part of the uploads and of the run's
    processor seconds as those rounds are of all; and as many steps as the whole run, because the finish takes as many. Of
    pooled data the one site trains only the shared rounds, and the sites that finish are counted beside it.
    """
    whole = {site: _whole(run, site) for site in run.sites}
    arms = {run.scheme: whole}
    if run.kind == "gossip":
        arms[f"{run.scheme}_consensus"] = whole
    if run.local_rounds:
        # Pooled data are nobody's own: the sites that finish are others than the one that trained.
        sites = [*run.sites, *(site for site in run.local_finish_cpu_seconds if site not in run.sites)]
        arms[f"{run.scheme}_local"] = {site: _local(run, site) for site in sites}
    return arms


def _whole(run: MeasuredRun, site: str) -> ArmSite:
    cost = run.sites[site]
    return ArmSite(
        **_traffic(run, cost.sent_bytes, cost.received_bytes, _closing_sent_bytes(run)[site], cost.closing_received_bytes),
        cpu_seconds=cost.cpu_seconds,
        local_finish_cpu_seconds=0.0,
        **_steps(cost),
    )


def _local(run: MeasuredRun, site: str) -> ArmSite:
    shared = (run.rounds - run.local_rounds) / run.rounds
    # The model after n rounds is what a site fetches before round n.
    received = sum(
        pull.received_bytes for pull in run.pulls if pull.site == site and pull.round <= run.rounds - run.local_rounds
    )
    cost, finish_seconds = run.sites.get(site), run.local_finish_cpu_seconds.get(site, 0.0)
    return ArmSite(
        **_traffic(run, round(cost.sent_bytes * shared) if cost else 0, received, 0, 0),
        cpu_seconds=(cost.cpu_seconds * shared if cost else 0.0) + finish_seconds,
        local_finish_cpu_seconds=finish_seconds,
        **_local_steps(run, site, shared),
    )


def _traffic(run: MeasuredRun, sent: int, received: int, closing_sent: int, closing_received: int) -> dict[str, int | None]:
    names = ("sent_bytes", "received_bytes", "closing_sent_bytes", "closing_received_bytes")
    # Pooled data has no federation: what its one site moves to its own aggregator crosses no network.
    values = (None,) * 4 if run.kind == "pooled" else (sent, received, closing_sent, closing_received)
    return dict(zip(names, values, strict=True))


def _steps(cost: SiteCost) -> dict[str, float | None]:
    return {name: getattr(cost, name) for name in ("steps", "network_steps", "completion_steps", "train_cases")}


def _local_steps(run: MeasuredRun, site: str, shared: float) -> dict[str, float | None]:
    if site not in run.sites:
        steps = run.local_finish_steps.get(site)
        return {"steps": steps, "network_steps": steps, "completion_steps": 0, "train_cases": None}
    found = _steps(run.sites[site])
    if site not in run.local_finish_cpu_seconds:
        found |= {name: round(found[name] * shared) for name in ("steps", "network_steps")}
    return found


def _closing_sent_bytes(run: MeasuredRun) -> dict[str, int]:
    """What a site sent less what others pulled from it before a round; with an aggregator nothing is sent after the last."""
    if run.has_aggregator:
        return dict.fromkeys(run.sites, 0)
    in_rounds = defaultdict(int)
    for pull in run.pulls:
        if pull.round < run.rounds:
            in_rounds[pull.peer] += pull.received_bytes
    return {site: max(0, cost.sent_bytes - in_rounds[site]) for site, cost in run.sites.items()}
