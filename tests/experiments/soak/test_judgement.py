"""Each criterion fails when it should, and passes when nothing is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.soak.federation import GARBAGE, RANDOM
from experiments.soak.judgement import (
    judge_dice,
    judge_faults,
    judge_finish,
    judge_hostile,
    judge_length,
    judge_rounds,
    lowest_expected,
)

UNDISTURBED = {seed: {"site_a": 0.60 + 0.01 * seed, "site_b": 0.50 - 0.01 * seed} for seed in range(3)}
CALLS = [{"site": "site_a", "try": "another run", "found": "run"}]


def trained(*rounds):
    return [{"round": number, "phase": "train"} for number in rounds]


def exchange(peer, outcome, round_number=5):
    return {"round": round_number, "phase": "exchange", "site": "site_a", "peer": peer, "outcome": outcome}


def with_verdict(own_mean, acceptable):
    verdict = {"judged": True, "own_mean_dice": own_mean, "peer_mean_dice": 0.0, "acceptable": acceptable}
    return {"round": 5, "phase": "train", "site": "site_a", "peers": {RANDOM: verdict}}


@pytest.mark.parametrize(
    "codes, passed", [({"a": 0, "b": 0}, True), ({"a": 0, "b": None}, False), ({"a": 9}, False), ({}, False)]
)
def test_every_site_must_end_well(codes, passed):
    assert judge_finish(codes).passed is passed


@pytest.mark.parametrize(
    "rounds, kills, passed",
    [
        ((0, 1, 2, 3), 0, True),
        ((0, 1, 1, 2, 3), 1, True),
        ((0, 1, 1, 2, 3), 0, False),  # repeated without a kill
        ((0, 1, 2, 1, 2, 3), 5, False),  # a finished round was lost
        ((0, 1, 3), 5, False),  # one is left out
        ((0, 1, 2), 5, False),  # the last is missing
        ((), 0, False),
    ],
)
def test_a_kill_costs_the_round_in_progress_and_no_other(rounds, kills, passed):
    assert judge_rounds({"a": trained(*rounds)}, 4, {"a": kills}).passed is passed


def test_one_site_that_lost_a_round_fails_all():
    events = {"a": trained(0, 1), "b": trained(0)}
    found = judge_rounds(events, 2, {"a": 0, "b": 0})
    assert not found.passed and "b" in found.found


@given(st.floats(0, 1), st.floats(0.001, 0.1))
def test_dice_of_an_undisturbed_run_passes_and_far_below_fails(level, spread):
    runs = {seed: {"site_a": level + seed * spread, "site_b": level - seed * spread} for seed in range(3)}
    assert judge_dice(runs[1], runs).passed
    assert not judge_dice({**runs[1], "site_b": level - 20 * spread}, runs).passed
    assert judge_dice({**runs[1], "site_b": level + 20 * spread}, runs).passed, "better is no fault"


def test_a_site_without_a_dice_fails():
    assert not judge_dice({"site_a": 0.61}, UNDISTURBED).passed


def test_the_limit_is_that_of_a_prediction():
    # By hand: both sites have variance 1e-4 over three seeds; t of 4 degrees of freedom at 0.975 is 2.7764.
    margin = 2.7764 * 0.01 * (1 + 1 / 3) ** 0.5
    assert lowest_expected(UNDISTURBED) == pytest.approx({"site_a": 0.61 - margin, "site_b": 0.49 - margin}, abs=1e-5)


CLEAN = [exchange(GARBAGE, "refused"), exchange(RANDOM, "received"), with_verdict(0.6, False)]


@pytest.mark.parametrize(
    "more, notes, passed",
    [
        ([], CALLS, True),
        ([with_verdict(0.04, True)], CALLS, True),  # a beginner cannot tell
        ([with_verdict(0.2, True)], CALLS, False),
        ([exchange(GARBAGE, "received")], CALLS, False),
        ([{"round": 9, "phase": "consensus", "site": "site_a", "sites": ["site_a", RANDOM]}], CALLS, False),
        ([{"round": 9, "phase": "completion", "site": "site_a", "taught": ["Liver"], "teachers": [RANDOM]}], CALLS, False),
        ([], [*CALLS, {"site": "site_a", "try": "another run", "found": "answered"}], False),
        ([], [*CALLS, {"believed_by": "site_b"}], False),
        ([], [], False),  # nobody called: nothing was shown
    ],
)
def test_a_hostile_model_that_is_used_or_an_impostor_who_is_answered_fails(more, notes, passed):
    assert judge_hostile({"site_a": [*CLEAN, *more]}, notes).passed is passed


def test_without_any_garbage_nothing_was_shown():
    assert not judge_hostile({"site_a": CLEAN[1:]}, CALLS).passed


def test_a_calm_soak_is_none():
    done = [{"kind": "kill", "struck": True}, {"kind": "partition"}]
    assert judge_faults(done, ["kill", "partition"]).passed
    assert not judge_faults(done[:1], ["kill", "partition"]).passed
    assert not judge_faults([{"kind": "kill", "struck": False}, done[1]], ["kill", "partition"]).passed


@pytest.mark.parametrize("seconds, passed", [(1800.0, True), (1799.0, False)])
def test_it_must_last(seconds, passed):
    assert judge_length(seconds, 30).passed is passed
