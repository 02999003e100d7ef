"""Who is present, missing and unknown; for how long; and whether that is enough."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import QuorumNotMet
from src.exchange.inbox import NOTHING_NEW, RECEIVED, REFUSED, UNREACHABLE
from src.exchange.participation import Participation, read_manifest

PEERS = ["site_b", "site_c", "site_d"]


class Clock:
    def __init__(self):
        self.seconds = 1_000_000_000.0

    def __call__(self):
        return self.seconds


def account(path=None, quorum=0, clock=None, peers=PEERS):
    return Participation("site_a", peers, quorum=quorum, missing_after_s=60, path=path, now_s=clock or Clock())


def test_the_manifest_says_who_is_expected_present_missing_and_not_asked_yet(tmp_path):
    path, clock = tmp_path / "logs" / "participation.json", Clock()
    assert read_manifest(path) is None
    kept = account(path, clock=clock)
    kept.note(0, 2, {"site_b": RECEIVED}, [])
    first = read_manifest(path)
    assert first["expected"] == ["site_a", *PEERS]
    assert (first["present"], first["missing"], first["unknown"]) == (["site_a", "site_b"], [], ["site_c", "site_d"])
    clock.seconds += 100
    kept.note(1, 4, {"site_b": UNREACHABLE}, ["site_c"])
    second = read_manifest(path)
    assert (second["present"], second["unknown"], second["met"]) == (["site_a", "site_c"], ["site_d"], 3)
    assert second["missing"] == [{"site": "site_b", "since": "2001-09-09T01:46:40+00:00", "was_met": True}]
    assert [entry["present"] for entry in second["exchanges"]] == [["site_a", "site_b"], ["site_a", "site_c"]]
    assert second["exchanges"][1]["asked"] == {"site_b": UNREACHABLE}


def test_an_answer_that_cannot_be_used_is_no_sign_of_life_and_a_call_is_one():
    kept = account()
    kept.note(0, 1, {"site_b": REFUSED, "site_c": NOTHING_NEW, "site_d": UNREACHABLE}, ["site_d", "stranger"])
    found = kept.manifest()
    assert found["present"] == ["site_a", "site_c", "site_d"] and [entry["site"] for entry in found["missing"]] == ["site_b"]
    assert found["met"] == 3


def test_whoever_is_missing_for_long_is_named_each_round_and_nobody_else(caplog):
    clock = Clock()
    kept = account(clock=clock)
    kept.note(0, 1, {"site_b": RECEIVED, "site_c": RECEIVED}, [])
    clock.seconds += 59
    kept.note(1, 2, {"site_b": UNREACHABLE}, [])
    with caplog.at_level(logging.WARNING):
        kept.warn()
        assert caplog.text == "", "59 s are not more than 60"
        clock.seconds += 2
        kept.warn()
        said = caplog.text
        assert "site_b IS MISSING: not met since 2001-09-09T01:46:40+00:00" in said
        assert "site_d IS MISSING: not heard of since" in said
        assert "site_c" not in said, "what was never asked again is not held against it"
        caplog.clear()
        kept.note(2, 3, {"site_b": NOTHING_NEW}, [])
        kept.warn()
        assert "site_b" not in caplog.text


def test_the_quorum_counts_this_site_and_everybody_met_at_least_once():
    kept = account(quorum=3)
    with pytest.raises(
        QuorumNotMet, match=r"at least 3 sites .* found 1, this one included; never met: site_b, site_c, site_d"
    ):
        kept.check_quorum()
    kept.note(0, 1, {"site_b": RECEIVED, "site_c": UNREACHABLE}, [])
    kept.note(1, 2, {"site_b": UNREACHABLE}, [])
    with pytest.raises(QuorumNotMet, match=r"found 2, .* never met: site_c, site_d\. All models are saved"):
        kept.check_quorum()
    assert QuorumNotMet.exit_code == 8
    kept.note("closing", 3, {}, ["site_d"])
    kept.check_quorum()
    account(quorum=0, peers=[]).check_quorum()


OUTCOMES = st.dictionaries(st.sampled_from(PEERS), st.sampled_from([RECEIVED, NOTHING_NEW, REFUSED, UNREACHABLE]))


@given(st.lists(st.tuples(OUTCOMES, st.sets(st.sampled_from(PEERS))), max_size=6))
def test_everybody_stands_in_one_list_and_a_restart_forgets_nothing(exchanges):
    kept, clock = account(), Clock()
    for number, (outcomes, callers) in enumerate(exchanges):
        kept.note(number, number, outcomes, callers)
        found = kept.manifest()
        listed = [*found["present"], *found["unknown"], *(entry["site"] for entry in found["missing"])]
        assert sorted(listed) == found["expected"]
        again = account(clock=clock)
        again.restore(json.loads(json.dumps(kept.state())))
        assert again.manifest() == found
        again.note(number, number, outcomes, callers)
        assert again.manifest()["exchanges"] == found["exchanges"], "a repeated exchange is one exchange"
        kept = again
