"""Exchanges after which every site holds the exact mean, for any number of sites and at most k peers at a time.

A sequence for n sites is built from shorter ones:

1. n is a product of factors f ≤ k+1: the sites are numbers with such digits; each exchange averages those that differ in one
   digit only, f of them, with 1/f each (hyper-hypercube).
2. n = p·q with p as in 1: the exchanges of q inside p groups at once, then those of p across the groups.
3. n = h + r with h ≥ r: h sites average (now all hold m_h); each of the r sites is paired with one of the h, and both take the
   other's value with weight h/n; then h and r average on. For the h sites this holds because their sum becomes
   h·m_h + (h/n)·(Σ_r x − r·m_h) = h·mean. For the r sites every value becomes (1 − h/n)·x + (h/n)·m_h, whose mean is the global
   mean; as that is one affine map for all of them, it commutes with their own averaging, which therefore goes on all the time.

Every exchange is symmetric and doubly stochastic, so the mean is kept even if a run stops half-way.

With h = a·(k+1)^m, the largest such number up to n with a ≤ k, that takes at most 2·⌊log_{k+1} n⌋ + 3 exchanges.

Source: Takezawa et al. 2023, Beyond Exponential Graph, arXiv:2305.11420 (Base-(k+1) Graph): the aim, the hyper-hypercube, and
the split by digits of base k+1. The recursion above is this project's own; it need not give the paper's very graphs.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple


class Clique(NamedTuple):
    """Sites that pull from each other, every one from every other with the same weight."""

    members: tuple[int, ...]
    weight: float


Exchange = tuple[Clique, ...]


@lru_cache(maxsize=64)
def finite_time_exchanges(num_sites: int, most_peers: int) -> tuple[Exchange, ...]:
    """The exchanges that take any values to their mean; to be repeated from the beginning after the last.

    Args:
        num_sites: at least 1; one site needs no exchange.
        most_peers: k, at least 1; no site has more peers in an exchange.

    Returns:
        Per exchange its disjoint cliques of site numbers; a site in none of them is left alone.

    Source:
        Takezawa et al. 2023, arXiv:2305.11420, see above.
    """
    factors = _factors(num_sites, most_peers + 1)
    if factors is not None:
        return _hyper_hypercube(num_sites, factors)
    candidates = [_split(num_sites, most_peers)]
    groups = max(p for p in range(1, num_sites) if num_sites % p == 0 and _factors(p, most_peers + 1) is not None)
    if groups > 1:
        candidates.append(_product(groups, num_sites // groups, most_peers))
    return min(candidates, key=len)


@lru_cache(maxsize=1024)
def _factors(number: int, largest: int) -> tuple[int, ...] | None:
    """The fewest factors from 2 to ``largest`` whose product is ``number``; None when there are none."""
    if number == 1:
        return ()
    found = None
    for factor in range(2, min(largest, number) + 1):
        rest = _factors(number // factor, largest) if number % factor == 0 else None
        if rest is not None and (found is None or len(rest) + 1 < len(found)):
            found = (factor, *rest)
    return found


def _hyper_hypercube(num_sites: int, factors: tuple[int, ...]) -> tuple[Exchange, ...]:
    exchanges, stride = [], 1
    for factor in factors:
        firsts = [site for site in range(num_sites) if site // stride % factor == 0]
        exchanges.append(
            tuple(Clique(tuple(first + stride * digit for digit in range(factor)), 1 / factor) for first in firsts)
        )
        stride *= factor
    return tuple(exchanges)


def _product(groups: int, group_size: int, most_peers: int) -> tuple[Exchange, ...]:
    inside, across = finite_time_exchanges(group_size, most_peers), finite_time_exchanges(groups, most_peers)
    return (
        *_at_once(*[_renumber(inside, lambda site, group=group: group * group_size + site) for group in range(groups)]),
        *_at_once(*[_renumber(across, lambda group, site=site: group * group_size + site) for site in range(group_size)]),
    )


def _split(num_sites: int, most_peers: int) -> tuple[Exchange, ...]:
    power = 1
    while power * (most_peers + 1) <= num_sites:
        power *= most_peers + 1
    head = num_sites // power * power  # more than half, and a product of factors up to k+1
    averaging = finite_time_exchanges(head, most_peers)
    of_rest = _renumber(finite_time_exchanges(num_sites - head, most_peers), lambda site: head + site)
    pairs = tuple(Clique((site, head + site), head / num_sites) for site in range(num_sites - head))
    before, after = of_rest[: len(averaging)], of_rest[len(averaging) :]
    return (*_at_once(averaging, before), pairs, *_at_once(averaging, after))


def _at_once(*sequences: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """Sequences over disjoint sites side by side; those that are done wait for the longest."""
    return tuple(sum(parts, ()) for parts in zip_longest(*sequences, fillvalue=()))


def _renumber(exchanges: tuple[Exchange, ...], number: Callable[[int], int]) -> tuple[Exchange, ...]:
    return tuple(
        tuple(Clique(tuple(number(site) for site in clique.members), clique.weight) for clique in exchange)
        for exchange in exchanges
    )
