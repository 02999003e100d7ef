"""Who pulls from whom: a pure function of roster, own name, exchange number and seed.

Nobody is asked and nothing is agreed on while training: every site works out the same answer by itself. The number is that of
the exchange, not of the round: with an exchange every second round, rounds would only ever reach every second offset.

Where the plan's reachability table leaves pairs that cannot meet, ``one_peer_exponential``, ``base_k_plus_1`` and ``ring`` take
those that can in turn (``round_robin``), ``random`` and ``full`` leave the others out, and ``chain`` orders the sites so that
neighbours meet. Where all can meet, the table changes nothing.

========================  ==============================================================================================
``one_peer_exponential``  one peer, 1, 2, 4, … sites on in turn; exact mean of 2^p sites after p exchanges in lock-step
``base_k_plus_1``         up to k peers, in pairs or cliques; exact mean of any number of sites after a few exchanges
``random``                k peers drawn anew at every exchange; nothing to break when sites come and go
``ring``                  the next site, then the one before, in turn; slow for many sites
``full``                  everybody
``chain``                 one model that goes from site to site: cyclic weight transfer
``none``                  nobody
========================  ==============================================================================================
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from src.errors import PlanSettingError
from src.exchange.finite_time_graph import finite_time_exchanges
from src.exchange.reachability import OUTBOUND, kind_of, meeting_peers
from src.exchange.round_robin import alternating, partners

_NO_TABLE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Link:
    """One pull of an exchange.

    Attributes:
        peer: whose snapshot.
        weight: share of the peer in a full average of this exchange, above 0, up to 1; our own share is what the links leave.
        round_lead: None when the peer's newest snapshot will do; a number asks for the snapshot with exactly so many rounds of
            training more than we have done ourselves.
    """

    peer: str
    weight: float
    round_lead: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Turn:
    """One site's place in one exchange: ``site`` is a number into ``names``, ``meets`` those it can meet, None all.

    The names are sorted, but for a chain of sites that cannot all meet.
    """

    names: tuple[str, ...]
    site: int
    exchange: int
    seed: int
    most_peers: int
    meets: frozenset[int] | None = None

    def link(self, site: int, weight: float, round_lead: int | None = None) -> Link:
        return Link(peer=self.names[site % len(self.names)], weight=weight, round_lead=round_lead)


def links(
    schedule: str,
    roster: Sequence[str],
    site: str,
    exchange: int,
    *,
    seed: int = 0,
    peers_per_exchange: int = 1,
    reachability: Mapping[str, str] = _NO_TABLE,
    folder: bool = False,
) -> tuple[Link, ...]:
    """Whom a site pulls from at an exchange.

    Args:
        schedule: of ``SCHEDULES``.
        roster: names of all sites, in any order.
        site: our own name.
        exchange: its number, from 0.
        seed: of ``random``; the others draw nothing.
        peers_per_exchange: k of ``base_k_plus_1`` and ``random``, at least 1; more than there are peers means all of them.
        reachability: kinds of sites by name, see ``reachability``; those that are not in it are direct.
        folder: whether all sites mount the synchronised folder.

    Returns:
        Distinct peers that we can meet, never ourselves, weights of a sum up to 1; empty when this site exchanges nothing
        this time, as always for a site alone.

    Raises:
        PlanSettingError: unknown schedule, a name twice in the roster, or ours not in it; a chain that cannot be closed.
    """
    if schedule not in _RULES:
        raise PlanSettingError(f"exchange.schedule: expected one of {', '.join(_RULES)}, found '{schedule}'")
    names = tuple(sorted(roster))
    if len(set(names)) != len(names):
        raise PlanSettingError(f"roster: every site stands in it once, found {', '.join(names)}; remove the repeated name")
    if site not in names:
        raise PlanSettingError(
            f"roster: site '{site}' is not in it, found {', '.join(names)}; add it, or check the site's name"
        )
    if exchange < 0 or peers_per_exchange < 1:
        raise ValueError(f"expected exchange >= 0 and peers_per_exchange >= 1, found {exchange} and {peers_per_exchange}")
    if len(names) == 1:
        return ()
    most_peers = min(peers_per_exchange, len(names) - 1)
    meets = None
    if not all_can_meet(names, reachability, folder=folder):
        names = chain_order(names, reachability, folder=folder) if schedule == "chain" else names
        meets = frozenset(names.index(peer) for peer in meeting_peers(names, reachability, site, folder=folder))
    turn = _Turn(names=names, site=names.index(site), exchange=exchange, seed=seed, most_peers=most_peers, meets=meets)
    return _RULES[schedule](turn) if meets is None else _PARTIAL_RULES[schedule](turn)


def all_can_meet(roster: Sequence[str], reachability: Mapping[str, str], *, folder: bool) -> bool:
    """Whether every pair of a roster can meet; always so with an empty table."""
    return not reachability or all(
        len(meeting_peers(roster, reachability, site, folder=folder)) == len(roster) - 1 for site in roster
    )


def chain_order(roster: Sequence[str], reachability: Mapping[str, str], *, folder: bool) -> tuple[str, ...]:
    """The order in which a chain goes through the sites: by name if all can meet; else outbound ones between direct ones.

    Raises:
        PlanSettingError: there are more outbound sites than direct ones.
    """
    if all_can_meet(roster, reachability, folder=folder):
        return tuple(sorted(roster))
    # Of a connected graph only outbound sites do not meet each other.
    outbound = [site for site in roster if kind_of(reachability, site) == OUTBOUND]
    return alternating([site for site in roster if site not in outbound], outbound)


def _one_peer_exponential(turn: _Turn) -> tuple[Link, ...]:
    """Ying et al. 2021, arXiv:2110.13363: site i pulls from i + 2^(exchange mod ⌈log2 n⌉) with weight 1/2."""
    num_offsets = (len(turn.names) - 1).bit_length()
    return (turn.link(turn.site + 2 ** (turn.exchange % num_offsets), 1 / 2),)


def _base_k_plus_1(turn: _Turn) -> tuple[Link, ...]:
    """Takezawa et al. 2023, arXiv:2305.11420; how the exchanges are found stands in ``finite_time_graph``."""
    exchanges = finite_time_exchanges(len(turn.names), turn.most_peers)
    cliques = [clique for clique in exchanges[turn.exchange % len(exchanges)] if turn.site in clique.members]
    return tuple(turn.link(peer, clique.weight) for clique in cliques for peer in clique.members if peer != turn.site)


def _random(turn: _Turn) -> tuple[Link, ...]:
    """De Vos et al. 2023 (epidemic learning), arXiv:2310.01972, as pulls: k others, each with weight 1/(k+1).

    The mean over the sites is kept on average only: some are pulled from more often than others. The k others are those whose
    hash is lowest, so the draw depends on no version of any generator.
    """
    return _draw(turn, [peer for peer in range(len(turn.names)) if peer != turn.site])


def _draw(turn: _Turn, peers: Collection[int]) -> tuple[Link, ...]:
    def ticket(peer: int) -> bytes:
        return hashlib.sha256(json.dumps([turn.seed, turn.exchange, own, turn.names[peer]]).encode()).digest()

    own, drawn = turn.names[turn.site], min(turn.most_peers, len(peers))
    return tuple(turn.link(peer, 1 / (drawn + 1)) for peer in sorted(peers, key=ticket)[:drawn])


def _ring(turn: _Turn) -> tuple[Link, ...]:
    """The ring of D-PSGD (Lian et al. 2017, arXiv:1705.09056) with one neighbour at a time, next and previous in turn.

    In lock-step two exchanges make I/2 + (P + Pᵀ)/4, with P the shift by one: the distance to the mean shrinks to cos²(π/n) of
    what it was and no further, so the number of exchanges needed grows with n².
    """
    return (turn.link(turn.site + (1 if turn.exchange % 2 == 0 else -1), 1 / 2),)


def _full(turn: _Turn) -> tuple[Link, ...]:
    """Everybody's mean at every exchange: what FedAvg computes at its server when all sites count the same."""
    num_sites = len(turn.names)
    return tuple(turn.link(peer, 1 / num_sites) for peer in range(num_sites) if peer != turn.site)


def _chain(turn: _Turn) -> tuple[Link, ...]:
    """Cyclic weight transfer (Chang et al. 2018, doi:10.1093/jamia/ocy017): one model, trained by one site after another.

    With an exchange before every round: at turn e each site takes the model of the site before it, which has done turn e
    already; the first one takes the last one's of the turn before, and begins turn 0 with the initial weights.
    """
    if turn.site == 0:
        return (turn.link(-1, 1.0, round_lead=0),) if turn.exchange else ()
    return (turn.link(turn.site - 1, 1.0, round_lead=1),)


def _none(turn: _Turn) -> tuple[Link, ...]:
    return ()


# Where not all can meet.


def _pairs_in_turn(turn: _Turn) -> tuple[Link, ...]:
    """Every weight is 1/(k+1), also where fewer than k can be met: both sides of a pair must take the same."""
    found = partners(turn.site, turn.exchange, turn.most_peers, turn.meets, len(turn.names))
    return tuple(turn.link(peer, 1 / (turn.most_peers + 1)) for peer in found)


def _one_pair_in_turn(turn: _Turn) -> tuple[Link, ...]:
    return _pairs_in_turn(replace(turn, most_peers=1))


def _random_of_those_met(turn: _Turn) -> tuple[Link, ...]:
    return _draw(turn, turn.meets)


def _all_that_are_met(turn: _Turn) -> tuple[Link, ...]:
    """With 1/n each, the others' share stays with the site: symmetric, so the mean over the sites is kept."""
    return tuple(turn.link(peer, 1 / len(turn.names)) for peer in sorted(turn.meets))


_RULES: dict[str, Callable[[_Turn], tuple[Link, ...]]] = {
    "one_peer_exponential": _one_peer_exponential,
    "base_k_plus_1": _base_k_plus_1,
    "random": _random,
    "ring": _ring,
    "full": _full,
    "chain": _chain,
    "none": _none,
}
_PARTIAL_RULES: dict[str, Callable[[_Turn], tuple[Link, ...]]] = {
    "one_peer_exponential": _one_pair_in_turn,
    "base_k_plus_1": _pairs_in_turn,
    "random": _random_of_those_met,
    "ring": _one_pair_in_turn,
    "full": _all_that_are_met,
    "chain": _chain,
    "none": _none,
}
SCHEDULES = tuple(_RULES)
