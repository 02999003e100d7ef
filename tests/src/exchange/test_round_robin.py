"""Every pair has its turn."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import PlanSettingError
from src.exchange.round_robin import alternating, partner, partners, turns


@given(st.integers(2, 30), st.integers(0, 100))
def test_every_pair_is_named_once_in_all_turns_and_by_both(num_sites, start):
    pairs = []
    for turn in range(start, start + turns(num_sites)):
        found = {site: partner(site, turn, num_sites) for site in range(num_sites)}
        assert all(found[other] == site for site, other in found.items() if other is not None)
        pairs += [(site, other) for site, other in found.items() if other is not None and site < other]
    assert sorted(pairs) == list(combinations(range(num_sites), 2))


@given(st.integers(2, 12), st.integers(1, 11), st.integers(0, 40), st.data())
def test_partners_are_mutual_met_and_not_too_many(num_sites, most_peers, exchange, data):
    barred = data.draw(st.sets(st.sampled_from(list(combinations(range(num_sites), 2)))))

    def meets(site):
        return {other for other in range(num_sites) if other != site and tuple(sorted((site, other))) not in barred}

    found = {site: partners(site, exchange, most_peers, meets(site), num_sites) for site in range(num_sites)}
    for site, others in found.items():
        assert len(others) == len(set(others)) <= most_peers
        assert set(others) <= meets(site)
        assert all(site in found[other] for other in others)


@given(st.integers(1, 9), st.integers(0, 9))
def test_around_a_circle_no_two_of_the_second_kind_are_neighbours(num_first, num_second):
    first, second = [f"direct_{n}" for n in range(num_first)], [f"outbound_{n}" for n in range(num_second)]
    if num_second > num_first:
        with pytest.raises(PlanSettingError, match=f"found {num_first} and {num_second}"):
            alternating(first, second)
        return
    circle = alternating(first, second)
    assert sorted(circle) == sorted(first + second)
    assert not any({circle[n - 1], circle[n]} <= set(second) for n in range(len(circle)) if len(circle) > 1)
