"""The whole simulation of a study on disk, and its command."""

import json
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from experiments.costs import wall_clock
from experiments.costs.hospitals import CASES, ONE_SLOW
from experiments.costs.study_clock import spread
from experiments.federation.template import REPOSITORY
from tests.experiments.small_study import make_small_study

NUM_DRAWS = 20


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return make_small_study(tmp_path_factory.mktemp("clock") / "study", seeds=(0,))


@pytest.fixture(scope="module")
def clock(study):
    return wall_clock(study, num_draws=NUM_DRAWS)


def test_it_is_json_and_the_same_every_time(study, clock):
    assert json.dumps(clock, allow_nan=False) == json.dumps(wall_clock(study, num_draws=NUM_DRAWS), allow_nan=False)


def test_every_arm_has_a_time_but_pooled_data(clock):
    for case in CASES:
        arms = clock["cases"][case]
        assert arms.pop("pooled") is None
        for arm, entry in arms.items():
            assert entry["median_site_s"]["median"] <= entry["last_site_s"]["median"]
            assert entry["last_site_s"]["low"] <= entry["last_site_s"]["median"] <= entry["last_site_s"]["high"]
            assert (entry["staleness_rounds"] is not None) == arm.startswith("gossip")
            assert list(entry["ratio_to"]) == ["fedavg", "fedavg_local"]


def test_a_ratio_to_oneself_is_one_and_training_alone_is_the_quickest(clock):
    for arms in clock["cases"].values():
        assert arms["fedavg"]["ratio_to"]["fedavg"]["last_site"] == {"median": 1.0, "low": 1.0, "high": 1.0}
        alone_s = arms["individual"]["last_site_s"]["median"]
        assert all(alone_s <= entry["last_site_s"]["median"] for arm, entry in arms.items() if entry and "without" not in arm)


def test_the_slow_site_is_the_one_with_most_patients_and_the_last(clock):
    entry = clock["cases"][ONE_SLOW]["gossip"]
    assert clock["slow_site"] == "site_a"
    assert entry["sites"]["site_a"]["median"] == entry["last_site_s"]["median"] > entry["median_site_s"]["median"]


def test_the_bars_of_a_site_follow_one_another(clock):
    gantt = clock["gantt"]
    for scheme in ("fedavg", "gossip"):
        for site in ("site_a", "site_b", "site_c"):
            bars = [bar for bar in gantt[scheme] if bar["site"] == site]
            assert bars[0]["start_s"] == 0.0
            assert all(before["end_s"] == after["start_s"] for before, after in pairwise(bars))
    assert "upload" not in {bar["kind"] for bar in gantt["gossip"]} and "pull" not in {bar["kind"] for bar in gantt["fedavg"]}


def test_a_silent_site_holds_up_a_barrier_and_not_gossip(clock):
    for schemes in clock["silent_site"].values():
        assert not schemes["fedavg"]["ends_by_default"] and schemes["gossip"]["ends_by_default"]
        # Half the rounds at twice the time; a little less, for the final download and for who was the last.
        assert 1.3 < schemes["fedavg"]["times_as_long"]["median"] < 1.5 + 1e-9
        assert schemes["gossip"]["times_as_long"]["high"] < schemes["fedavg"]["times_as_long"]["low"]
        assert "individual" not in schemes


def test_nothing_finished_is_nothing_simulated(study, tmp_path):
    (tmp_path / "study.yaml").write_bytes((study / "study.yaml").read_bytes())
    found = wall_clock(tmp_path)
    assert (found["cases"], found["silent_site"], found["gantt"]) == ({}, {}, None)


def test_without_fedavg_there_is_no_ratio_to_it(study, tmp_path):
    content = (study / "study.yaml").read_text(encoding="utf-8")
    (tmp_path / "study.yaml").write_text(content, encoding="utf-8")
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "gossip").symlink_to(study / "train" / "gossip")
    found = wall_clock(tmp_path, num_draws=2)
    assert found["cases"][ONE_SLOW]["gossip"]["ratio_to"] == {} and found["gantt"] is None


def test_a_spread_is_percentiles_or_nothing():
    assert spread(np.arange(101.0)) == {"median": 50.0, "low": 5.0, "high": 95.0}
    assert spread(np.array([1.0, np.nan])) == {"median": None, "low": None, "high": None}


def command(*arguments):
    line = [sys.executable, "-m", "experiments.costs", *arguments]
    return subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)


def test_the_command_prints_every_arm_in_every_table(study):
    done = command("--study", str(study), "--draws", "3")
    assert done.returncode == 0, done.stderr
    rows = [line.split("│")[1].strip() for line in done.stdout.splitlines() if line.startswith("│")]
    # Bytes, computing, and three kinds of hospitals.
    assert {arm: rows.count(arm) for arm in ("pooled", "fedavg_local", "gossip_consensus")} == dict.fromkeys(
        ("pooled", "fedavg_local", "gossip_consensus"), 5
    )


def test_the_command_refuses_what_is_no_study(tmp_path):
    done = command("--study", str(tmp_path))
    assert done.returncode == 1 and "study.yaml" in done.stderr and "Traceback" not in done.stderr
