"""Pairs for sites of which not all can meet: every pair that can has its turn, one partner a site at a time.

Used when the plan's reachability table leaves some pairs without any way to each other; the graphs of the schedules' sources
need every pair. Both sites of a pair learn from each other with the same weight, so the mean over the sites is kept.

Source: the circle method of round-robin tournaments (Kirkman 1847), with the pairs that cannot meet left out.
"""

from collections.abc import Collection

from src.errors import PlanSettingError


def turns(num_sites: int) -> int:
    """Turns after which every pair has been named once."""
    return num_sites - 1 if num_sites % 2 == 0 else num_sites


def partner(site: int, turn: int, num_sites: int) -> int | None:
    """Whom a site is paired with in a turn.

    Args:
        site: number of the site, from 0.
        turn: from 0; they repeat after ``turns``.
        num_sites: at least 2.

    Returns:
        The number of the other one, whose partner is ``site``; None in the turn in which an odd number leaves it alone.
    """
    circle = turns(num_sites)
    own_turn = 2 * site % circle
    if num_sites % 2 == 0:
        # The last site stands in the middle of the circle, and meets the one that would meet itself.
        if site == circle:
            return next(other for other in range(circle) if (2 * other - turn) % circle == 0)
        if own_turn == turn % circle:
            return circle
    elif own_turn == turn % circle:
        return None
    return (turn - site) % circle


def partners(site: int, exchange: int, most_peers: int, meets: Collection[int], num_sites: int) -> list[int]:
    """Whom a site is paired with in an exchange.

    Args:
        site: its number, from 0.
        exchange: from 0; each takes up as many turns as it has peers.
        most_peers: at a time, at least 1.
        meets: numbers of the sites it can meet.
        num_sites: at least 2.

    Returns:
        Different numbers, sorted, all of ``meets``; empty when those of this exchange cannot be met.
    """
    at_a_time = min(most_peers, turns(num_sites))
    paired = {partner(site, exchange * at_a_time + step, num_sites) for step in range(at_a_time)}
    return sorted(paired & set(meets))


def alternating(first_kind: Collection[str], second_kind: Collection[str]) -> tuple[str, ...]:
    """A circle of names in which no two of ``second_kind`` are neighbours.

    Raises:
        PlanSettingError: there are more of them than of the first kind.
    """
    around, between = sorted(first_kind), sorted(second_kind)
    if len(between) > len(around):
        raise PlanSettingError(
            "collaborator.settings.exchange.schedule: a chain hands its model from site to site, and never between two that "
            f"cannot meet; expected at least as many direct sites as outbound ones, found {len(around)} and {len(between)}. "
            "Choose another schedule"
        )
    pairs = [name for pair in zip(around, between, strict=False) for name in pair]
    return tuple(pairs + around[len(between) :])
