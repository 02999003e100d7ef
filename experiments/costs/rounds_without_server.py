"""Rounds without an aggregator: gossip, where nobody waits for anybody, and a chain, where one site works at a time.

A pull takes as long as the slower of the two lines: the receiver's download, the peer's upload. A peer that several pull from
at once is as fast for each. A pull counts in full also when the peer had nothing newer than what was pulled from it before
(in truth a question of a second then), so the seconds of gossip are an upper bound.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from experiments.costs.hospitals import Durations
from experiments.costs.timeline import Timeline

# By (round, site): whom the site pulls from before it trains, in order; sites are numbers.
Pulls = Mapping[tuple[int, int], Iterable[int]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One site asked a peer for its newest model before a round; ``start_s_D``: when, float64, one per draw."""

    round: int
    site: int
    peer: int
    start_s_D: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A site that stops answering.

    Attributes:
        site: its number.
        after_round: it does so many rounds; from the end of the last of them on it is silent.
        connect_timeout_s: what asking it costs from then on.
    """

    site: int
    after_round: int
    connect_timeout_s: float


@dataclass(frozen=True, kw_only=True)
class GossipRounds:
    """What happened.

    Attributes:
        done_s_DSR: when each round was done, published included; float64, draws × sites × rounds, infinite for rounds that a
            silent site no longer does.
        asked: every pull.
    """

    done_s_DSR: np.ndarray
    asked: tuple[Asked, ...]


def gossip_rounds(
    timeline: Timeline, durations: Durations, rounds: int, pulls: Pulls, silence: Silence | None = None
) -> GossipRounds:
    """Rounds of every site on its own clock: its pulls, its training, its validation.

    Args:
        timeline: at its start.
        durations: of the run.
        rounds: of training.
        pulls: whom each asks and when.
        silence: of at most one site.
    """
    num_draws, num_sites = timeline.now_s_DS.shape
    done_s_DSR, asked = np.full((num_draws, num_sites, rounds), np.inf), []
    silent = silence.site if silence else None
    silent_from_s_D = np.full(num_draws, np.inf)
    # The silent site first: when it falls silent depends on nobody else.
    for site in sorted(range(num_sites), key=lambda number: number != silent):
        for number in range(silence.after_round if site == silent else rounds):
            for peer in pulls.get((number, site), ()):
                start_s_D = timeline.now_s_DS[:, site].copy()
                asked.append(Asked(round=number, site=site, peer=peer, start_s_D=start_s_D))
                seconds_D = pull_s(durations, site, peer)
                if peer == silent:
                    seconds_D = np.where(start_s_D >= silent_from_s_D, silence.connect_timeout_s, seconds_D)
                timeline.spend(site, "pull", seconds_D)
            timeline.spend(site, "train", durations.train_s_DS[:, site])
            timeline.spend(site, "validate", durations.validate_s_DS[:, site])
            done_s_DSR[:, site, number] = timeline.now_s_DS[:, site]
        if site == silent:
            silent_from_s_D = timeline.now_s_DS[:, site].copy()
    return GossipRounds(done_s_DSR=done_s_DSR, asked=tuple(asked))


def chain_rounds(timeline: Timeline, durations: Durations, rounds: int, pulls: Pulls) -> GossipRounds:
    """Rounds in which one model goes from site to site, in the order of their names; the others wait meanwhile."""
    num_draws, num_sites = timeline.now_s_DS.shape
    done_s_DSR, asked = np.full((num_draws, num_sites, rounds), np.inf), []
    for number in range(rounds):
        for site in sorted(range(num_sites), key=lambda place: timeline.sites[place]):
            timeline.wait_until(site, timeline.now_s_DS.max(axis=1))
            for peer in pulls.get((number, site), ()):
                asked.append(Asked(round=number, site=site, peer=peer, start_s_D=timeline.now_s_DS[:, site].copy()))
                timeline.spend(site, "pull", pull_s(durations, site, peer))
            timeline.spend(site, "train", durations.train_s_DS[:, site])
            timeline.spend(site, "validate", durations.validate_s_DS[:, site])
            done_s_DSR[:, site, number] = timeline.now_s_DS[:, site]
    return GossipRounds(done_s_DSR=done_s_DSR, asked=tuple(asked))


def closing_pulls(timeline: Timeline, durations: Durations, final_s_DS: np.ndarray) -> None:
    """Each site, its rounds done, pulls the final model of every other as soon as that is there.

    Args:
        timeline: at each site's end of its rounds.
        durations: of the run.
        final_s_DS: when each site's final model is published; float64, draws × sites.
    """
    num_sites = len(timeline.sites)
    for site in range(num_sites):
        peers = np.array([peer for peer in range(num_sites) if peer != site], dtype=int)
        seconds_DP = np.maximum(durations.download_s_DS[:, [site]], durations.upload_s_DS[:, peers])
        order_DP = np.argsort(final_s_DS[:, peers], axis=1, kind="stable")
        for place in range(len(peers)):
            chosen_D1 = order_DP[:, [place]]
            timeline.wait_until(site, np.take_along_axis(final_s_DS[:, peers], chosen_D1, axis=1)[:, 0])
            timeline.spend(site, "closing pull", np.take_along_axis(seconds_DP, chosen_D1, axis=1)[:, 0])


def staleness(happened: GossipRounds) -> tuple[np.ndarray, np.ndarray]:
    """How many rounds the models that were pulled were behind those of the sites that pulled them.

    Returns:
        The mean over the pulls that found something to take (negative where peers were ahead), and the share of all pulls that
        found nothing newer than was pulled from that peer before; float64, one per draw. NaN without any pull.
    """
    num_draws = len(happened.done_s_DSR)
    behind_D, found_D, total = np.zeros(num_draws), np.zeros(num_draws), len(happened.asked)
    newest = defaultdict(lambda: np.zeros(num_draws))
    repeats_D = np.zeros(num_draws)
    for asked in happened.asked:
        peer_rounds_D = (happened.done_s_DSR[:, asked.peer] <= asked.start_s_D[:, None]).sum(axis=1)
        behind_D += np.where(peer_rounds_D > 0, asked.round - peer_rounds_D, 0)
        found_D += peer_rounds_D > 0
        repeats_D += peer_rounds_D <= newest[asked.site, asked.peer]
        newest[asked.site, asked.peer] = np.maximum(newest[asked.site, asked.peer], peer_rounds_D)
    with np.errstate(invalid="ignore"):
        return behind_D / found_D, repeats_D / np.float64(total)


def pull_s(durations: Durations, site: int, peer: int) -> np.ndarray:
    """Seconds of one pull; float64, one per draw."""
    return np.maximum(durations.download_s_DS[:, site], durations.upload_s_DS[:, peer])
