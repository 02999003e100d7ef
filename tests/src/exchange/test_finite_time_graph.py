"""Exchanges that end in the exact mean, judged as they stand; what sites make of them is in ``test_schedule``."""

import pytest

from src.exchange.finite_time_graph import finite_time_exchanges


@pytest.mark.parametrize(
    ("num_sites", "most_peers", "num_exchanges"),
    [(1, 1, 0), (2, 1, 1), (3, 1, 3), (4, 1, 2), (5, 1, 5), (6, 1, 4), (8, 1, 3), (6, 2, 2), (9, 2, 2), (8, 3, 2), (6, 5, 1)],
)
def test_number_of_exchanges(num_sites, most_peers, num_exchanges):
    assert len(finite_time_exchanges(num_sites, most_peers)) == num_exchanges


@pytest.mark.parametrize("most_peers", [1, 2, 3, 5])
def test_few_exchanges_do_for_many_sites(most_peers):
    for num_sites in range(2, 130):
        power = 0
        while (most_peers + 1) ** (power + 1) <= num_sites:
            power += 1
        assert len(finite_time_exchanges(num_sites, most_peers)) <= 2 * power + 3


@pytest.mark.parametrize("most_peers", [1, 2, 3])
def test_nobody_is_in_two_places_at_once(most_peers):
    for num_sites in range(1, 80):
        for exchange in finite_time_exchanges(num_sites, most_peers):
            members = [site for clique in exchange for site in clique.members]
            assert len(set(members)) == len(members)
            assert set(members) <= set(range(num_sites))
            assert members, "an exchange in which nobody exchanges"


def test_six_sites_in_pairs_by_hand():
    """Two groups of three; in each, two average, the third takes 2/3 of one of them, the two average again; then across."""
    first, second, third, last = [
        {clique.members: clique.weight for clique in exchange} for exchange in finite_time_exchanges(6, 1)
    ]
    assert first == third == {(0, 1): 1 / 2, (3, 4): 1 / 2}
    assert second == {(0, 2): 2 / 3, (3, 5): 2 / 3}
    assert last == {(0, 3): 1 / 2, (1, 4): 1 / 2, (2, 5): 1 / 2}
