"""What is drawn: the same for a seed, within the limits, and never too much of one kind at once."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.soak.faults import KILL_GAP_S, LINE_FAULTS, PARTITION_S, Fault, draw_faults
from experiments.soak.federation import HONEST

SEEDS = st.integers(0, 2**32)


def of_kind(faults, kind):
    return [fault for fault in faults if fault.kind == kind]


@given(SEEDS, st.floats(1.5, 60))
def test_a_seed_gives_the_same_faults_and_another_gives_others(seed, minutes):
    faults = draw_faults(seed, minutes, HONEST)
    assert faults == draw_faults(seed, minutes, HONEST) != draw_faults(seed + 1, minutes, HONEST)
    assert [fault.time_s for fault in faults] == sorted(fault.time_s for fault in faults)
    assert {fault.kind for fault in faults} == {"kill", "partition", "slow", "clock", "takeover", *LINE_FAULTS}
    assert all(0 <= fault.time_s <= fault.end_s <= 60 * minutes for fault in faults)
    json.dumps([fault.to_json() for fault in faults])


@given(SEEDS, st.floats(30, 60))
def test_partitions_last_one_to_six_minutes_one_after_the_other(seed, minutes):
    partitions = of_kind(draw_faults(seed, minutes, HONEST), "partition")
    assert len(partitions) >= 3
    assert all(PARTITION_S[0] <= fault.duration_s <= PARTITION_S[1] == 360 for fault in partitions)
    assert all(later.time_s >= earlier.end_s + 30 for earlier, later in pairwise(partitions))
    assert all(1 <= len(fault.sites) <= 3 and set(fault.sites) <= set(HONEST) for fault in partitions)


@given(SEEDS)
def test_kills_are_many_and_spare_the_first_site(seed):
    kills = of_kind(draw_faults(seed, 30, HONEST), "kill")
    assert len(kills) >= 18 and all(HONEST[0] not in fault.sites for fault in kills)
    gaps = [later.time_s - earlier.time_s for earlier, later in pairwise(kills)]
    assert all(KILL_GAP_S[0] <= gap <= KILL_GAP_S[1] for gap in gaps)


@given(SEEDS)
def test_one_clock_is_ahead_another_behind_by_minutes(seed):
    ahead, behind = of_kind(draw_faults(seed, 30, HONEST), "clock")
    assert ahead.sites != behind.sites
    assert 120 <= ahead.parameters["off_s"] <= 480 and 120 <= -behind.parameters["off_s"] <= 480


def test_too_few_sites_are_refused():
    with pytest.raises(ValueError, match="at least 3 sites"):
        draw_faults(0, 30, HONEST[:2])


def test_an_entry_of_the_log_says_everything():
    fault = Fault(time_s=1.5, kind="loss", sites=("site_a",), duration_s=2.0, parameters={"loss": 0.05})
    assert fault.end_s == 3.5
    assert fault.to_json() == {
        "time_s": 1.5,
        "kind": "loss",
        "sites": ["site_a"],
        "duration_s": 2.0,
        "parameters": {"loss": 0.05},
    }
