"""The plan's numbers of the exchange: which round has which exchange, and what cannot work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.toy_learner import exchange_settings, timing_settings
from src.errors import PlanSettingError
from src.exchange.schedule import SCHEDULES

ROUNDS = st.integers(1, 30)
WITH_EXCHANGES = [schedule for schedule in SCHEDULES if schedule not in ("none", "chain")]


@given(
    schedule=st.sampled_from(WITH_EXCHANGES),
    rounds=ROUNDS,
    warm_up_rounds=st.integers(1, 8),
    exchange_every=st.integers(1, 8),
    local_rounds_at_end=st.integers(0, 8),
)
def test_exchanges_are_counted_and_fall_where_the_plan_says(schedule, rounds, **when):
    settings = exchange_settings(schedule, **when)
    found = {number: settings.exchange_at(number, rounds) for number in range(rounds)}
    last = rounds - when["local_rounds_at_end"]
    expected = list(range(when["warm_up_rounds"], last, when["exchange_every"]))
    assert [number for number, exchange in found.items() if exchange is not None] == expected
    assert [found[number] for number in expected] == list(range(len(expected))), "without a gap, or the schedule skips peers"


@given(rounds=ROUNDS)
def test_a_chain_has_one_before_every_round_and_none_has_none(rounds):
    assert [exchange_settings("chain").exchange_at(number, rounds) for number in range(rounds)] == list(range(rounds))
    alone = exchange_settings("none")
    assert {alone.exchange_at(number, rounds) for number in range(rounds)} == {None}


@given(rounds=ROUNDS, more=st.integers(1, 10), number=st.integers(0, 40))
def test_a_longer_run_changes_no_earlier_exchange(rounds, more, number):
    settings = exchange_settings(local_rounds_at_end=2)
    sooner = settings.exchange_at(number, rounds)
    assert sooner is None or settings.exchange_at(number, rounds + more) == sooner


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("schedule", "circle"),
        ("schedule", None),
        ("wire_dtype", "float8"),
        ("folder", 1),
        ("wire_dtype", "int8"),
        ("lock_step", 1),
        ("lock_step", "false"),
        ("peers_per_exchange", 0),
        ("peers_per_exchange", 1.0),
        ("warm_up_rounds", 0),
        ("warm_up_rounds", -1),
        ("exchange_every", 0),
        ("exchange_every", True),
        ("local_rounds_at_end", -1),
        ("local_rounds_at_end", "2"),
        ("seed", -1),
        ("seed", None),
        ("quorum", -1),
        ("quorum", 1.5),
        ("quorum", True),
    ],
)
def test_an_impossible_setting_is_named(setting, value):
    with pytest.raises(PlanSettingError, match=rf"^collaborator\.exchange\.{setting}: expected .*, found .*{value}"):
        exchange_settings(**{setting: value})


@pytest.mark.parametrize(("setting", "value"), [("warm_up_rounds", 1), ("exchange_every", 2), ("local_rounds_at_end", 1)])
def test_a_chain_takes_no_other_pace(setting, value):
    with pytest.raises(PlanSettingError, match="a chain hands its model on after every round"):
        exchange_settings("chain", **{setting: value})


WAITS = ["connect_timeout_s", "pull_timeout_s", "round_wait_s", "closing_wait_s", "serve_after_s", "missing_after_s"]


@pytest.mark.parametrize("setting", WAITS)
@pytest.mark.parametrize("value", [0, -1, 0.001, float("nan"), True, "10", None])
def test_an_impossible_wait_is_named(setting, value):
    with pytest.raises(PlanSettingError, match=rf"^collaborator\.timing\.{setting}: expected a number of at least 0.01"):
        timing_settings(**{setting: value})


@pytest.mark.parametrize("table", [["site_a"], {"site_a": "vpn"}, {"site_a": None}])
def test_an_impossible_table_is_named(table):
    with pytest.raises(PlanSettingError, match=r"exchange\.reachability(\.site_a)?: expected .*, found"):
        exchange_settings(reachability=table)


def test_a_table_that_the_roster_cannot_live_with_is_refused_with_the_plan():
    settings = exchange_settings(reachability={"site_a": "outbound", "site_b": "outbound"})
    settings.check_roster(["site_a", "site_b", "site_c"])
    with pytest.raises(PlanSettingError, match="never meet"):
        settings.check_roster(["site_a", "site_b"])
    exchange_settings("none", reachability=settings.reachability).check_roster(["site_a", "site_b"])


def test_the_settings_follow_the_table():
    settings = exchange_settings("full", reachability={"site_a": "outbound", "site_b": "outbound"})
    roster = ["site_a", "site_b", "site_c"]
    assert [link.peer for link in settings.links(roster, "site_a", 0)] == ["site_c"]
    assert settings.meeting_peers(roster, "site_c") == settings.brought_by(roster, "site_c") == ("site_a", "site_b")
    assert settings.brings_to(roster, "site_a") == ("site_c",)
    assert settings.brings_to(roster, "site_c") == ()


def test_a_quorum_that_some_site_can_never_meet_is_refused_with_the_plan():
    roster = ["site_a", "site_b", "site_c"]
    exchange_settings(quorum=3).check_roster(roster)
    with pytest.raises(
        PlanSettingError, match=r"quorum: expected at most 3, the sites that site_a can meet and itself, found 4"
    ):
        exchange_settings(quorum=4).check_roster(roster)
    table = {"site_a": "outbound", "site_b": "outbound"}
    with pytest.raises(PlanSettingError, match=r"quorum: expected at most 2, the sites that site_a can meet"):
        exchange_settings(quorum=3, reachability=table).check_roster(roster)
    with pytest.raises(PlanSettingError, match=r"quorum: expected at most 1"):
        exchange_settings("none", quorum=2).check_roster(roster)
