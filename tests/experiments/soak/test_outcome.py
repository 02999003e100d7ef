"""What is counted, written and drawn of a soak."""

import json
import math

import pytest

from experiments.soak.federation import HONEST
from experiments.soak.judgement import Criterion
from experiments.soak.outcome import exchange_outcomes, is_passed, refusals, write_outcome
from experiments.soak.picture import draw
from experiments.soak.seen import Soaked, keep_seen, read_seen
from experiments.soak.watch import folder_bytes
from src.errors import FederationError


def exchange(round_number, outcome, reason="", callers=None, replayed=False):
    return {
        "round": round_number,
        "at_s": 10.0 * round_number,
        "phase": "exchange",
        "site": "site_a",
        "peer": "site_b",
        "outcome": outcome,
        "reason": reason,
        "replayed": replayed,
        "refused_callers": callers or {},
    }


EVENTS = {
    "site_a": [
        exchange(1, "received", callers={"run": 1}),
        exchange(2, "refused", "norm", {"run": 3, "name": 1}),
        exchange(2, "refused", "norm", {"run": 1}, replayed=True),  # another process: it counts from 0 again
        exchange(3, "received", callers={"run": 2}),
    ]
}


def test_refusals_are_summed_over_all_lives_of_a_server():
    assert refusals(EVENTS) == {"models": {"site_b: norm": 2}, "callers": {"name": 1, "run": 5}}


def test_a_repeated_exchange_is_one():
    assert exchange_outcomes(EVENTS) == {"received": 2, "refused": 1}


def test_one_failure_is_enough_and_what_was_not_judged_is_none(tmp_path):
    good, open_, bad = (Criterion(name="x", passed=passed, found="", demanded="") for passed in (True, None, False))
    assert is_passed([good, open_]) and not is_passed([good, bad])
    write_outcome(tmp_path / "soak.json", [good, bad], {"seconds": 3})
    content = json.loads((tmp_path / "soak.json").read_text())
    assert content["passed"] is False and content["seconds"] == 3 and len(content["criteria"]) == 2


def test_a_picture_of_every_kind_of_fault(tmp_path):
    faults = [
        {"time_s": 1.0, "kind": kind, "sites": ["site_a"], "duration_s": 9.0, "parameters": {}}
        for kind in ("partition", "takeover", "slow", "latency", "loss", "rate", "all three")
    ]
    faults.append({"time_s": 5.0, "kind": "kill", "sites": ["site_a"], "duration_s": 0.0, "parameters": {}, "struck": True})
    faults.append({"time_s": 0.0, "kind": "clock", "sites": ["site_b"], "duration_s": 0.0, "parameters": {"off_s": -120}})
    events = {site: [{"round": 0, "phase": "train", "at_s": 4.0}] if site != "site_c" else [] for site in HONEST}
    draw(tmp_path / "soak.png", events, faults, {"site_a": 60.0})
    content = (tmp_path / "soak.png").read_bytes()
    assert content.startswith(b"\x89PNG") and len(content) < 300_000


def test_bytes_of_a_folder_are_those_of_its_files(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "one").write_bytes(b"123")
    (tmp_path / "below" / "two").write_bytes(b"4567")
    assert folder_bytes(tmp_path) == 7 and folder_bytes(tmp_path / "none") == 0


def test_what_was_seen_can_be_judged_again(tmp_path):
    validated = {"round": 1, "at_s": 30.0, "phase": "validate", "site": "site_a", "mean_dice": 0.5, "dice": {"Liver": 0.5}}
    completed = {"round": 2, "at_s": 50.0, "phase": "validate", "after": "completion", "mean_dice": 0.6, "dice": {"Liver": 0.6}}
    seen = Soaked(
        seconds=90.0,
        plan={"collaborator": {}},
        rounds=2,
        exit_codes={"site_a": 0},
        ended_s={"site_a": 60.0},
        kills={"site_a": 1},
        events={"site_a": [validated, completed], "site_b": []},
        samples=[],
        faults=[],
        impostor=[],
        packets={"lost": 1},
        clock="",
    )
    with pytest.raises(FederationError, match=r"found no seen\.json"):
        read_seen(tmp_path)
    keep_seen(tmp_path, seen)
    assert read_seen(tmp_path) == seen
    assert seen.dice() == {"site_a": 0.6}, "the final model is the completed one"
    assert seen.filled_s() == {"site_a": math.inf, "site_b": math.inf}, "two rounds fill nothing"
    assert seen.last_round_s() == {"site_a": 30.0, "site_b": 0.0}, "completion is no round"
