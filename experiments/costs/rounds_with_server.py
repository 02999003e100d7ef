"""Rounds behind an aggregator's barrier, and rounds alone: fedavg, fedprox, their local finish, individual."""

from collections.abc import Collection

import numpy as np

from experiments.costs.hospitals import Durations
from experiments.costs.timeline import Timeline


def barrier_rounds(
    timeline: Timeline,
    durations: Durations,
    rounds: int,
    *,
    silent: Collection[int] = (),
    cutoff_s_D: np.ndarray | float = 0.0,
) -> None:
    """Rounds in which every site downloads, validates, trains and uploads, and nobody goes on before the last is done.

    Args:
        timeline: goes on from where it is.
        durations: of the run.
        rounds: how many.
        silent: numbers of the sites that do not answer; their clocks only wait.
        cutoff_s_D: how long a round lasts at least, because the aggregator waits so long for those. It has to be longer than
            any other site takes.
    """
    for _ in range(rounds):
        start_s_D = timeline.now_s_DS.max(axis=1)
        for site in range(len(timeline.sites)):
            if site not in silent:
                timeline.spend(site, "download", durations.download_s_DS[:, site])
                timeline.spend(site, "validate", durations.validate_s_DS[:, site])
                timeline.spend(site, "train", durations.train_s_DS[:, site])
                timeline.spend(site, "upload", durations.upload_s_DS[:, site])
        end_s_D = np.maximum(timeline.now_s_DS.max(axis=1), start_s_D + cutoff_s_D)
        for site in range(len(timeline.sites)):
            timeline.wait_until(site, end_s_D)


def final_download(timeline: Timeline, durations: Durations, *, silent: Collection[int] = ()) -> None:
    """Each site fetches the model that the rounds ended with."""
    for site in range(len(timeline.sites)):
        if site not in silent:
            timeline.spend(site, "download", durations.download_s_DS[:, site])


def rounds_alone(timeline: Timeline, durations: Durations, rounds: int) -> None:
    """Rounds of training and validation without anybody else."""
    for _ in range(rounds):
        for site in range(len(timeline.sites)):
            timeline.spend(site, "train", durations.train_s_DS[:, site])
            timeline.spend(site, "validate", durations.validate_s_DS[:, site])


def barrier_round_s(durations: Durations) -> np.ndarray:
    """How long one round behind the barrier lasts: the slowest site's; float64, one per draw."""
    both_s_DS = durations.download_s_DS + durations.upload_s_DS
    return (both_s_DS + durations.validate_s_DS + durations.train_s_DS).max(axis=1)
