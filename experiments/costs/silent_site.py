"""One hospital falls silent in the middle of a run: what that costs the others behind a barrier and without one.

OpenFL 1.9 waits for every collaborator by default (``WaitForAllPolicy``), so FedAvg then never ends. Its
``CutoffTimePolicy`` ends a round so many seconds after its first task was given out, once enough sites have reported, and
pays that wait in each round anew.
"""

import numpy as np

from experiments.costs.arm_clock import pulls_of
from experiments.costs.hospitals import Durations
from experiments.costs.measured_run import MeasuredRun
from experiments.costs.rounds_with_server import barrier_round_s, barrier_rounds, final_download
from experiments.costs.rounds_without_server import Silence, gossip_rounds
from experiments.costs.timeline import Timeline

# How often the usual round the aggregator is told to wait. Shorter, and it would cut off sites that are only slow.
CUTOFF_ROUNDS = 2.0


def fedavg_with_silent_site(
    run: MeasuredRun, durations: Durations, site: str, cutoff_rounds: float = CUTOFF_ROUNDS
) -> np.ndarray:
    """When the last of the other sites has the final model of FedAvg with a cutoff.

    Args:
        run: with an aggregator.
        durations: of its sites.
        site: answers in the first half of the rounds only.
        cutoff_rounds: the cutoff, in usual rounds, at least 1; told to the aggregator before.

    Returns:
        Seconds, float64, one per draw.
    """
    timeline, silent = Timeline(durations.sites, len(durations.train_s_DS)), durations.sites.index(site)
    barrier_rounds(timeline, durations, run.rounds // 2)
    cutoff_s_D = cutoff_rounds * barrier_round_s(durations)
    barrier_rounds(timeline, durations, run.rounds - run.rounds // 2, silent=(silent,), cutoff_s_D=cutoff_s_D)
    final_download(timeline, durations, silent=(silent,))
    return np.delete(timeline.now_s_DS, silent, axis=1).max(axis=1)


def gossip_with_silent_site(run: MeasuredRun, durations: Durations, site: str) -> np.ndarray:
    """When the last of the other sites has done its rounds of gossip; each exchange with the silent one costs a timeout.

    Args:
        run: of gossip; its plan says how long a site waits for an answer.
        durations: of its sites.
        site: does the first half of its rounds only.

    Returns:
        Seconds, float64, one per draw.
    """
    timeline, silent = Timeline(durations.sites, len(durations.train_s_DS)), durations.sites.index(site)
    silence = Silence(site=silent, after_round=run.rounds // 2, connect_timeout_s=run.timing.connect_timeout_s)
    gossip_rounds(timeline, durations, run.rounds, pulls_of(run), silence)
    return np.delete(timeline.now_s_DS, silent, axis=1).max(axis=1)
