"""What the schedules promise, with sites that exchange in lock-step as the links say."""

import hashlib
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from src.errors import PlanSettingError
from src.exchange.reachability import REACHABILITIES, components, kind_of, meeting_peers
from src.exchange.round_robin import turns
from src.exchange.schedule import SCHEDULES, chain_order, links

REPOSITORY = Path(__file__).parents[3]
KEEP_THE_MEAN = ("one_peer_exponential", "base_k_plus_1", "ring", "full", "none")
schedules = st.sampled_from(SCHEDULES)
rosters = st.lists(st.text("abcäö-_0123456789", min_size=1, max_size=6), min_size=1, max_size=12, unique=True)


def roster(num_sites: int) -> list[str]:
    return [f"hospital_{number:03d}" for number in range(num_sites)]


def mixing_matrix(schedule: str, num_sites: int, exchange: int, **settings) -> np.ndarray:
    """Row i: what site i's value is made of, when all pull at once what all had before."""
    names = roster(num_sites)
    matrix = np.zeros((num_sites, num_sites))
    for row, site in enumerate(names):
        found = links(schedule, names, site, exchange, **settings)
        for link in found:
            matrix[row, names.index(link.peer)] += link.weight
        matrix[row, row] += 1 - math.fsum(link.weight for link in found)
    return matrix


def after(schedule: str, num_sites: int, exchanges: range, **settings) -> np.ndarray:
    product = np.eye(num_sites)
    for exchange in exchanges:
        product = mixing_matrix(schedule, num_sites, exchange, **settings) @ product
    return product


def distance_to_mean(product: np.ndarray) -> float:
    return float(np.abs(product - 1 / len(product)).max())


def period(num_sites: int, most_peers: int) -> int:
    """A bound on the length of base_k_plus_1: exchanges of its head twice, one across, and one more factor in each."""
    return 2 * int(math.log(num_sites, most_peers + 1) + 1e-9) + 3


# What holds for all of them


@settings(deadline=None, max_examples=200)
@given(
    schedule=schedules,
    names=rosters,
    data=st.data(),
    exchange=st.integers(0, 10_000),
    seed=st.integers(0, 9),
    k=st.integers(1, 15),
)
def test_links_are_distinct_peers_with_shares_that_leave_the_site_the_rest(schedule, names, data, exchange, seed, k):
    site = data.draw(st.sampled_from(names))
    found = links(schedule, names, site, exchange, seed=seed, peers_per_exchange=k)
    peers = [link.peer for link in found]
    assert len(set(peers)) == len(peers)
    assert set(peers) <= set(names) - {site}
    assert all(0 < link.weight <= 1 for link in found)
    assert math.fsum(link.weight for link in found) <= 1
    if schedule in ("random", "base_k_plus_1"):
        assert len(found) <= k
    assert all((link.round_lead is None) == (schedule != "chain") for link in found)


@settings(deadline=None, max_examples=60)
@given(schedule=schedules, names=rosters, data=st.data(), exchange=st.integers(0, 50), k=st.integers(1, 3))
def test_the_order_of_the_roster_does_not_matter(schedule, names, data, exchange, k):
    site = data.draw(st.sampled_from(names))
    shuffled = data.draw(st.permutations(names))
    assert links(schedule, names, site, exchange, peers_per_exchange=k) == links(
        schedule, shuffled, site, exchange, peers_per_exchange=k
    )


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_site_alone_never_exchanges(schedule):
    assert all(links(schedule, ["only"], "only", exchange) == () for exchange in range(9))


@pytest.mark.parametrize("schedule", [schedule for schedule in SCHEDULES if schedule != "none"])
def test_two_sites_do_exchange(schedule):
    assert [link.peer for link in links(schedule, ["a", "b"], "b", 0)] == ["a"]


def test_none_never_exchanges():
    assert all(links("none", roster(6), site, exchange) == () for site in roster(6) for exchange in range(20))


def test_what_cannot_be_is_refused():
    with pytest.raises(PlanSettingError, match="'hospital_x' is not in it"):
        links("ring", roster(3), "hospital_x", 0)
    with pytest.raises(PlanSettingError, match="stands in it once"):
        links("ring", ["a", "b", "a"], "a", 0)
    with pytest.raises(PlanSettingError, match=r"expected one of one_peer_exponential.*found 'star'"):
        links("star", roster(3), "hospital_000", 0)
    with pytest.raises(ValueError, match="exchange >= 0"):
        links("ring", roster(3), "hospital_000", -1)
    with pytest.raises(ValueError, match="peers_per_exchange >= 1"):
        links("random", roster(3), "hospital_000", 0, peers_per_exchange=0)


def test_a_fresh_process_finds_the_same():
    """Python salts its string hashes anew in every process; a schedule that used them would differ between sites."""
    program = (
        "from src.exchange.schedule import SCHEDULES, links\n"
        "names = [f'hospital_{number:03d}' for number in range(7)]\n"
        "print([links(s, names, n, e, seed=5, peers_per_exchange=2) for s in SCHEDULES for n in names for e in range(9)])\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=REPOSITORY,
            env={"PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    ]
    here = [
        links(schedule, roster(7), site, exchange, seed=5, peers_per_exchange=2)
        for schedule in SCHEDULES
        for site in roster(7)
        for exchange in range(9)
    ]
    assert runs[0] == runs[1] == f"{here}\n"


# Averaging


@pytest.mark.parametrize("schedule", KEEP_THE_MEAN)
@pytest.mark.parametrize("num_sites", [1, 2, 3, 5, 6, 8, 13, 71])
def test_averaging_keeps_the_mean(schedule, num_sites):
    for exchange in range(15):
        matrix = mixing_matrix(schedule, num_sites, exchange)
        np.testing.assert_allclose(matrix.sum(axis=0), 1, rtol=1e-12)
        np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-12)
        assert matrix.min() >= 0


@pytest.mark.parametrize("num_sites", [2, 4, 8, 16])
@pytest.mark.parametrize("start", [0, 1, 5])
def test_one_peer_exponential_is_exact_for_powers_of_two_from_any_exchange_on(num_sites, start):
    steps = int(math.log2(num_sites))
    assert distance_to_mean(after("one_peer_exponential", num_sites, range(start, start + steps))) == 0
    assert distance_to_mean(after("one_peer_exponential", num_sites, range(start, start + steps - 1))) > 1 / 20


def test_one_peer_exponential_is_not_exact_for_six():
    assert distance_to_mean(after("one_peer_exponential", 6, range(3))) > 0.05


def test_rounds_in_place_of_exchanges_would_not_be_exact():
    """Exchanging every second round, rounds are even: four sites would ever pull from the next one only."""
    product = np.eye(4)
    for round_number in range(0, 8, 2):
        product = mixing_matrix("one_peer_exponential", 4, round_number) @ product
    assert distance_to_mean(product) > 0.05


@pytest.mark.parametrize("most_peers", [1, 2, 3])
@pytest.mark.parametrize("num_sites", [*range(1, 41), 71])
def test_base_k_plus_1_is_exact_for_any_number_of_sites_and_doubly_stochastic_all_the_way(num_sites, most_peers):
    product, exact_after = np.eye(num_sites), 0
    while distance_to_mean(product) > 1e-14:
        assert exact_after < period(num_sites, most_peers), "not exact within the bound"
        matrix = mixing_matrix("base_k_plus_1", num_sites, exact_after, peers_per_exchange=most_peers)
        np.testing.assert_allclose(matrix, matrix.T, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(matrix.sum(axis=0), 1, rtol=1e-12)
        assert matrix.min() >= 0
        assert np.count_nonzero(matrix - np.diag(np.diag(matrix)), axis=1).max() <= most_peers
        product, exact_after = matrix @ product, exact_after + 1


def test_base_k_plus_1_is_exact_for_six_sites_in_pairs_after_four_exchanges_and_again_after_four_more():
    assert distance_to_mean(after("base_k_plus_1", 6, range(3))) > 0.05
    assert distance_to_mean(after("base_k_plus_1", 6, range(4))) < 1e-15
    for exchange in range(4):
        assert (mixing_matrix("base_k_plus_1", 6, exchange) == mixing_matrix("base_k_plus_1", 6, exchange + 4)).all()


@pytest.mark.parametrize("num_sites", [2, 3, 6, 20, 71])
def test_two_exchanges_on_the_ring_contract_as_its_docstring_says(num_sites):
    two = after("ring", num_sites, range(2))
    assert np.linalg.norm(two - 1 / num_sites, ord=2) == pytest.approx(math.cos(math.pi / num_sites) ** 2, abs=1e-12)


def test_the_ring_turns_both_ways():
    names = roster(5)
    assert [links("ring", names, names[0], exchange)[0].peer for exchange in range(4)] == [names[1], names[4]] * 2


@pytest.mark.parametrize("num_sites", [2, 3, 6, 71])
def test_full_is_exact_at_every_exchange(num_sites):
    assert distance_to_mean(mixing_matrix("full", num_sites, 3)) < 1e-15


# What one site knows reaches all


def reach(num_sites: int, schedule: str, most_peers: int) -> int:
    """Exchanges after which what any site knew before the first has reached all, whichever exchange is the first."""
    logarithm = (num_sites - 1).bit_length()
    return {
        "one_peer_exponential": logarithm,  # every offset is a sum of distinct powers of two
        "base_k_plus_1": 2 * period(num_sites, most_peers) - 1,  # that many hold one whole sequence
        "random": 4 * logarithm + 8,  # no certain bound; generous for the seeds below
        "ring": num_sites - 1,
        "full": 1,
        "chain": 2,  # within a turn the model goes from first to last, in the next one from the first again
    }[schedule]


def exchanges_until_all_know(schedule: str, num_sites: int, start: int, limit: int, names=None, **settings) -> int:
    names = names or roster(num_sites)
    if schedule == "chain":
        names = chain_order(names, settings.get("reachability", {}), folder=settings.get("folder", False))
    known = {site: {site} for site in names}
    for done in range(limit + 1):
        if all(len(known[site]) == num_sites for site in names):
            return done
        before = {site: set(known[site]) for site in names}
        for site in names:  # in order, as a chain hands on within an exchange what it received in it
            for link in links(schedule, names, site, start + done, **settings):
                known[site] |= (known if link.round_lead == 1 else before)[link.peer]
    raise AssertionError(f"{schedule}: not everybody knows after {limit} exchanges")


@pytest.mark.parametrize("most_peers", [1, 3])
@pytest.mark.parametrize("num_sites", [2, 3, 5, 6, 7, 12, 16, 31, 71])
@pytest.mark.parametrize("schedule", [schedule for schedule in SCHEDULES if schedule != "none"])
def test_what_one_site_knows_reaches_all_in_bounded_exchanges(schedule, num_sites, most_peers):
    limit = reach(num_sites, schedule, most_peers)
    for start in (0, 1, 7):
        exchanges_until_all_know(schedule, num_sites, start, limit, seed=start, peers_per_exchange=most_peers)


def test_the_bounds_of_the_ring_and_of_the_exponential_graph_are_met_exactly():
    assert exchanges_until_all_know("ring", 9, 0, 8) == 8
    assert exchanges_until_all_know("one_peer_exponential", 9, 0, 4) == 4


# Where not all can meet


@st.composite
def agreed_tables(draw):
    """A roster of at least two, and a table by which every site can hear of every other."""
    names = draw(st.lists(st.sampled_from("abcdefghi"), min_size=2, unique=True))
    folder = draw(st.booleans())
    kinds = REACHABILITIES if folder else ("direct", "outbound")
    table = {name: draw(st.sampled_from(kinds)) for name in names if draw(st.booleans())}
    if len(components(names, table, folder=folder)) > 1:
        table[draw(st.sampled_from(names))] = "direct"
    return names, {"reachability": table, "folder": folder}


def can_chain(names, agreed):
    try:
        chain_order(names, agreed["reachability"], folder=agreed["folder"])
    except PlanSettingError:
        return False
    return True


@settings(deadline=None, max_examples=150)
@given(schedule=schedules, agreed=agreed_tables(), exchange=st.integers(0, 1000), seed=st.integers(0, 9), k=st.integers(1, 9))
def test_links_are_only_between_sites_that_can_meet(schedule, agreed, exchange, seed, k):
    names, agreed = agreed
    assume(schedule != "chain" or can_chain(names, agreed))
    for site in names:
        found = links(schedule, names, site, exchange, seed=seed, peers_per_exchange=k, **agreed)
        peers = [link.peer for link in found]
        assert len(set(peers)) == len(peers)
        assert set(peers) <= set(meeting_peers(names, agreed["reachability"], site, folder=agreed["folder"]))
        assert all(0 < link.weight <= 1 for link in found)
        assert math.fsum(link.weight for link in found) <= 1 + 1e-12


@settings(deadline=None, max_examples=150)
@given(schedule=schedules, agreed=agreed_tables(), start=st.integers(0, 50), k=st.integers(1, 4))
def test_what_any_site_knows_reaches_all_also_where_not_all_can_meet(schedule, agreed, start, k):
    names, agreed = agreed
    assume(schedule not in ("none", "random") and (schedule != "chain" or can_chain(names, agreed)))
    # From any site to any other in two steps at most: over a direct one; and every pair has its turn. A chain is ready in two.
    limit = max(2 * turns(len(names)), reach(len(names), schedule, k))
    exchanges_until_all_know(schedule, len(names), start, limit, names=names, peers_per_exchange=k, **agreed)


@pytest.mark.parametrize("outbound", [2, 5])
def test_random_reaches_all_sooner_or_later_where_not_all_can_meet(outbound):
    names = roster(outbound + 2)
    table = dict.fromkeys(names[2:], "outbound")
    for seed in range(5):
        exchanges_until_all_know("random", len(names), 0, 60, seed=seed, reachability=table)


@settings(deadline=None, max_examples=100)
@given(schedule=schedules, agreed=agreed_tables(), exchange=st.integers(0, 300), k=st.integers(1, 9))
def test_a_table_that_keeps_nobody_apart_changes_nothing(schedule, agreed, exchange, k):
    names, agreed = agreed
    apart = [
        site
        for site in names
        if len(meeting_peers(names, agreed["reachability"], site, folder=agreed["folder"])) < len(names) - 1
    ]
    assume(not apart)
    for site in names:
        assert links(schedule, names, site, exchange, peers_per_exchange=k, **agreed) == links(
            schedule, names, site, exchange, peers_per_exchange=k
        )


@pytest.mark.parametrize("schedule", KEEP_THE_MEAN)
@pytest.mark.parametrize("most_peers", [1, 2, 9])
def test_averaging_keeps_the_mean_also_where_not_all_can_meet(schedule, most_peers):
    table = dict.fromkeys(roster(7)[:4], "outbound")
    for exchange in range(15):
        matrix = mixing_matrix(schedule, 7, exchange, peers_per_exchange=most_peers, reachability=table)
        np.testing.assert_allclose(matrix.sum(axis=0), 1, rtol=1e-12)
        assert matrix.min() >= -1e-12


def test_the_schedule_without_a_table_is_the_one_it_has_always_been():
    """Taken from the version before there were tables; a plan of then must mean the same now."""
    names = roster(7)
    found = [
        (schedule, [[(link.peer, link.weight, link.round_lead) for link in
                     links(schedule, names, site, e, seed=3, peers_per_exchange=2)] for site in names for e in range(12)])
        for schedule in SCHEDULES
    ]  # fmt: skip
    assert (
        hashlib.sha256(repr(found).encode()).hexdigest() == "e55b148f292417f07ca480dc8f821a1a590c25f827ccec4f242ebd1ba7e528cd"
    )


def test_a_chain_goes_between_outbound_sites_over_direct_ones_or_is_refused():
    names = roster(5)
    table = {names[0]: "outbound", names[1]: "outbound"}
    order = chain_order(names, table, folder=False)
    assert sorted(order) == names
    assert not any(kind_of(table, order[n - 1]) == kind_of(table, order[n]) == "outbound" for n in range(5))
    assert [links("chain", names, site, 4, reachability=table)[0].peer for site in order] == [order[n - 1] for n in range(5)]
    with pytest.raises(PlanSettingError, match="at least as many direct sites as outbound ones, found 2 and 3"):
        links("chain", names, names[0], 0, reachability=dict.fromkeys(names[:3], "outbound"))


# Chain


def test_a_chain_trains_one_model_at_one_site_after_another():
    """Every model is the list of those who trained it; a site trains once it can have the snapshot it wants."""
    names, turns = roster(4), 3
    rounds_of: dict[str, list[tuple]] = {site: [()] for site in names}  # by rounds done
    trained = True
    while trained:
        trained = False
        for site in reversed(names):  # the wrong way round: only the wanted rounds give the order
            exchange = len(rounds_of[site]) - 1
            found = links("chain", names, site, exchange)
            wanted = {link.peer: exchange + link.round_lead for link in found}
            if exchange == turns or any(len(rounds_of[peer]) <= rounds for peer, rounds in wanted.items()):
                continue
            model = rounds_of[site][-1]
            for peer, rounds in wanted.items():
                model = rounds_of[peer][rounds]
            rounds_of[site].append((*model, site))
            trained = True
    assert rounds_of[names[-1]][-1] == tuple(names) * turns
    assert rounds_of[names[1]][2] == (*names, *names[:2])


def test_a_chain_hands_over_whole_models_and_begins_with_the_initial_weights():
    names = roster(3)
    assert links("chain", names, names[0], 0) == ()
    assert [(link.peer, link.weight, link.round_lead) for link in links("chain", names, names[0], 4)] == [(names[2], 1.0, 0)]
    assert [(link.peer, link.weight, link.round_lead) for link in links("chain", names, names[2], 0)] == [(names[1], 1.0, 1)]


# Random


@pytest.mark.parametrize("most_peers", [1, 3])
def test_random_draws_every_peer_about_equally_often(most_peers):
    names, exchanges = roster(7), 1200
    for site in (names[0], names[4]):
        drawn = Counter(
            link.peer
            for exchange in range(exchanges)
            for link in links("random", names, site, exchange, seed=11, peers_per_exchange=most_peers)
        )
        expected = exchanges * most_peers / 6
        assert set(drawn) == set(names) - {site}
        # Five standard deviations of a binomial.
        assert all(abs(count - expected) < 5 * math.sqrt(expected) for count in drawn.values())


def test_random_differs_between_seeds_exchanges_and_sites():
    names = roster(30)

    def peers(seed: int, site: str) -> list[str]:
        return [links("random", names, site, exchange, seed=seed)[0].peer for exchange in range(30)]

    assert len(set(peers(0, names[0]))) > 10
    assert peers(0, names[0]) != peers(1, names[0])
    assert peers(0, names[0]) != peers(0, names[1])


def test_random_with_more_peers_than_there_are_takes_them_all():
    assert [link.weight for link in links("random", roster(4), "hospital_001", 0, peers_per_exchange=99)] == [1 / 4] * 3
