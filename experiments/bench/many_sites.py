"""Many sites in one process: how fast what each knows reaches all, and what a site costs when there are more of them.

71 is the number of sites of the largest federation of hospitals (Pati et al. 2022, doi:10.1038/s41467-022-33407-5).
"""

import math
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from experiments.toy_learner import ToyLearner, exchange_settings, timing_settings, toy_site
from src.exchange.gossip import GossipSite
from src.exchange.in_memory import InMemoryNetwork, InMemoryTransport

SCHEDULES = ("one_peer_exponential", "base_k_plus_1", "random", "ring", "full")
_LOOKED_AT = (0, 1, 2, 4, 8, 13)
_FEWER = (8, 24)
_ROUNDS_IN_ALL = 160  # of all sites together, where there are fewer of them
_MANY_ROUNDS = 1000  # nobody gets to the last one


@dataclass
class Mixing:
    """What one schedule did.

    Attributes:
        distances: after 0, 1, 2 … exchanges, of the sites' models to their mean at the start, as a share of the first.
        pulls: models that a site pulled in an exchange, on average.
        round_s: seconds of one site's round, the median over sites and rounds with an exchange.
        processor_s: of them those that the processor worked; the others are waiting for the disk.
    """

    distances: list[float]
    pulls: float
    round_s: float
    processor_s: float


def measure(schedule: str, num_sites: int, exchanges: int) -> Mixing:
    """Sites that begin apart and learn nothing, in lock-step, one after the other; all but the network is real."""
    pulled: Counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        sites = _make(schedule, num_sites, Path(folder), pulled)
        mean = torch.stack([site.learner.weights for site in sites]).mean(0)
        for site in sites:
            site.resume()
            site.step()  # the round before the first exchange
        distances, seconds, worked = [_distance(sites, mean)], [], []
        for _ in range(exchanges):
            for site in sites:
                began, began_working = time.perf_counter(), time.process_time()
                site.step()
                seconds.append(time.perf_counter() - began)
                worked.append(time.process_time() - began_working)
            distances.append(_distance(sites, mean))
    first = distances[0]
    return Mixing(
        distances=[value / first for value in distances],
        pulls=pulled.total() / num_sites / exchanges,
        round_s=statistics.median(seconds),
        processor_s=statistics.median(worked),
    )


def show(console: Console, num_sites: int = 71) -> None:
    """Measures all schedules and prints them."""
    found = {
        schedule: measure(schedule, num_sites, 1 if schedule == "full" else max(_LOOKED_AT))
        for schedule in track(SCHEDULES, f"{num_sites} sites", console=console, transient=True)
    }
    distances = Table(title=f"{num_sites} sites: distance to the mean after so many exchanges, of that at the start")
    for column in ("schedule", *map(str, _LOOKED_AT), "models pulled per site and exchange"):
        distances.add_column(column, justify="left" if column == "schedule" else "right")
    for schedule, mixing in found.items():
        shown = [f"{mixing.distances[count]:.1e}" if count < len(mixing.distances) else "" for count in _LOOKED_AT]
        distances.add_row(schedule, *shown, f"{mixing.pulls:.2f}")
    console.print(distances)
    cost = Table(title="Milliseconds of one site's round (of them the processor's); tiny model, real files, network in memory")
    for column in ("schedule", *(f"{count} sites" for count in (*_FEWER, num_sites))):
        cost.add_column(column, justify="left" if column == "schedule" else "right")
    for schedule in track(SCHEDULES, "fewer sites", console=console, transient=True):
        fewer = [measure(schedule, count, 1 if schedule == "full" else _ROUNDS_IN_ALL // count) for count in _FEWER]
        told = (f"{1000 * one.round_s:.1f} ({1000 * one.processor_s:.1f})" for one in (*fewer, found[schedule]))
        cost.add_row(schedule, *told)
    console.print(cost)
    console.print("aim: flat, but for full, which pulls from everybody. random keeps the mean on average only\n")


def _make(schedule: str, num_sites: int, folder: Path, pulled: Counter) -> Sequence[GossipSite]:
    network, roster = InMemoryNetwork(), [f"site_{number:03d}" for number in range(num_sites)]
    sites = []
    for name in roster:

        def log(name: str = name, **facts) -> None:
            if facts["phase"] == "exchange":
                if facts["outcome"] != "received":
                    raise RuntimeError(f"expected a model from every peer asked, found {facts}")
                pulled[name] += 1

        sites.append(
            toy_site(
                ToyLearner(name, values=100, pull=0.0, noise=0.0, spread=1.0),
                roster,
                InMemoryTransport(network, name),
                folder / name,
                log,
                rounds=_MANY_ROUNDS,
                exchange=exchange_settings(schedule, lock_step=True),
                timing=timing_settings(),
            )
        )
        network.register(name, sites[-1].served)
    return sites


def _distance(sites: Sequence[GossipSite], mean: torch.Tensor) -> float:
    """Root mean square over sites of a model's distance to ``mean``."""
    return math.sqrt(sum(float((site.learner.weights - mean).square().sum()) for site in sites) / len(sites))
