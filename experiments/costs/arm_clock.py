"""How long each arm of a run takes at given hospitals."""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from experiments.costs.hospitals import Durations
from experiments.costs.measured_run import MeasuredRun
from experiments.costs.rounds_with_server import barrier_rounds, final_download, rounds_alone
from experiments.costs.rounds_without_server import (
    GossipRounds,
    Pulls,
    chain_rounds,
    closing_pulls,
    gossip_rounds,
    staleness,
)
from experiments.costs.timeline import Timeline


@dataclass(frozen=True, kw_only=True)
class ArmClock:
    """One arm's times in all draws.

    Attributes:
        sites: names.
        ready_s_DS: when each site has its model; float64, draws × sites, in seconds since the start.
        timeline: what led there.
        staleness_rounds_D, nothing_new_share_D: see ``staleness``; None for other schemes than gossip.
    """

    sites: tuple[str, ...]
    ready_s_DS: np.ndarray
    timeline: Timeline
    staleness_rounds_D: np.ndarray | None = None
    nothing_new_share_D: np.ndarray | None = None


def clocks_of(run: MeasuredRun, durations: Durations) -> dict[str, ArmClock | None]:
    """Every arm of a run.

    A site of a gossip arm has its model when its own rounds are done (a completion phase is not counted); of ``_consensus``,
    and of a chain, when it has pulled all other sites' final models; with an aggregator, when the final model is downloaded;
    of ``_local``, when its own rounds after that download are done.

    Args:
        run: its costs name whom each site pulled from.
        durations: of its sites.

    Returns:
        By arm; None for pooled data, where no hospital trains.
    """
    if run.kind == "pooled":
        names = [run.scheme, *([f"{run.scheme}_local"] if run.local_rounds else [])]
        return dict.fromkeys(names)
    if run.kind == "individual":
        timeline = _timeline(durations)
        rounds_alone(timeline, durations, run.rounds)
        return {run.scheme: _clock(timeline)}
    return _clocks_with_server(run, durations) if run.has_aggregator else _clocks_without_server(run, durations)


def pulls_of(run: MeasuredRun) -> Pulls:
    """Whom each site pulled from before each round; what came after the last round is left out."""
    places, pulls = {site: place for place, site in enumerate(run.sites)}, defaultdict(list)
    for pull in run.pulls:
        if pull.round < run.rounds and pull.peer is not None:
            pulls[pull.round, places[pull.site]].append(places[pull.peer])
    return pulls


def _clocks_with_server(run: MeasuredRun, durations: Durations) -> dict[str, ArmClock]:
    timeline = _timeline(durations)
    barrier_rounds(timeline, durations, run.rounds)
    final_download(timeline, durations)
    clocks = {run.scheme: _clock(timeline)}
    if run.local_rounds:
        local = _timeline(durations)
        barrier_rounds(local, durations, run.rounds - run.local_rounds)
        final_download(local, durations)
        rounds_alone(local, durations, run.local_rounds)
        clocks[f"{run.scheme}_local"] = _clock(local)
    return clocks


def _clocks_without_server(run: MeasuredRun, durations: Durations) -> dict[str, ArmClock]:
    timeline, simulate = _timeline(durations), chain_rounds if run.kind == "cyclic" else gossip_rounds
    happened = simulate(timeline, durations, run.rounds, pulls_of(run))
    rounds_done = _gossip_clock(timeline, happened)
    closing_pulls(timeline, durations, happened.done_s_DSR[:, :, run.rounds - run.local_rounds_at_end - 1])
    if run.kind == "cyclic":
        return {run.scheme: _clock(timeline)}
    return {run.scheme: rounds_done, f"{run.scheme}_consensus": _gossip_clock(timeline, happened)}


def _timeline(durations: Durations) -> Timeline:
    return Timeline(durations.sites, len(durations.train_s_DS))


def _clock(timeline: Timeline) -> ArmClock:
    return ArmClock(sites=timeline.sites, ready_s_DS=timeline.now_s_DS.copy(), timeline=timeline)


def _gossip_clock(timeline: Timeline, happened: GossipRounds) -> ArmClock:
    behind_D, repeats_D = staleness(happened)
    return replace(_clock(timeline), staleness_rounds_D=behind_D, nothing_new_share_D=repeats_D)
