"""Sites as real processes, killed with SIGKILL or stopped at seeded moments: nobody waits, nothing is lost."""

import random
import signal
import time

import pytest

from tests.src.exchange.toy_federation import ToyFederation
from tests.src.exchange.toy_process import MOMENTS

ROSTER = ["site_a", "site_b", "site_c"]
LOCK_STEP = {
    "values": 300_000,
    "exchange": {"schedule": "base_k_plus_1", "lock_step": True},
    "timing": {"round_wait_s": 120, "pull_timeout_s": 60, "closing_wait_s": 120, "serve_after_s": 60},
}


def kill_and_restart(federation, kills, rounds, generator):
    """Kills a site at a moment of its own choosing and starts it again, so often; says where each kill fell."""
    fallen = []
    while len(fallen) < kills:
        site = generator.choice(ROSTER)
        # Each moment in turn, so that none is left out by chance.
        moment = MOMENTS[len(fallen) % len(MOMENTS)]
        if not federation.wait_for_mark(site, moment, round_number=1):
            pytest.fail(f"{site} was at its end after {len(fallen)} of {kills} kills; give the run more rounds")
        time.sleep(generator.choice([0, 0.001, 0.003, 0.01, 0.03]))
        federation.kill(site)
        marks = (federation.folder / site / "marks").read_text().splitlines()
        fallen.append((site, marks[-1]))
        federation.start(site)
    print("\nkills fell at:", *fallen, sep="\n  ")
    return fallen


def check_bit_identical(tmp_path, *, rounds, kills, seed):
    settings = {"rounds": rounds, "round_s": 0.05, **LOCK_STEP}
    with ToyFederation(tmp_path / "undisturbed", ROSTER, **settings) as undisturbed:
        undisturbed.start()
        undisturbed.wait(120)
    with ToyFederation(tmp_path / "disturbed", ROSTER, **settings) as disturbed:
        disturbed.start()
        fallen = kill_and_restart(disturbed, kills, rounds, random.Random(seed))
        disturbed.wait(300)
    assert len(fallen) == kills
    assert len({moment.split()[0] for _, moment in fallen}) > 1, "the kills fell at different moments"
    for site in ROSTER:
        assert disturbed.result(site) == undisturbed.result(site)
        assert disturbed.result(site)["finals"] == ROSTER
        rounds_done = {event["round_number"] for event in disturbed.events(site) if event["phase"] == "train"}
        assert rounds_done == set(range(rounds)), "no round is left out"


def test_killed_sites_end_bit_identical(tmp_path):
    check_bit_identical(tmp_path, rounds=30, kills=3, seed=1)


@pytest.mark.slow
def test_twenty_four_kills_end_bit_identical(tmp_path):
    check_bit_identical(tmp_path, rounds=500, kills=24, seed=2)


@pytest.mark.parametrize(
    "fault", [pytest.param(signal.SIGKILL, id="dead"), pytest.param(signal.SIGSTOP, id="stalled", marks=pytest.mark.slow)]
)
def test_the_others_never_wait_longer_than_one_pull_timeout(tmp_path, fault):
    pull_timeout_s, round_s = 1.5, 0.1
    with ToyFederation(
        tmp_path,
        ROSTER,
        rounds=18,
        round_s=round_s,
        values=300_000,
        exchange={"schedule": "ring"},
        timing={"connect_timeout_s": 1.0, "pull_timeout_s": pull_timeout_s, "closing_wait_s": 1.0, "serve_after_s": 3.0},
    ) as federation:
        federation.start()
        assert federation.wait_for_mark("site_b", "learn", 5)
        federation.processes["site_b"].send_signal(fault)
        struck = time.time()
        federation.wait(90, "site_a", "site_c")
        for site in ("site_a", "site_c"):
            events = [event for event in federation.events(site) if event["phase"] == "exchange"]
            # A pull that was running when the fault struck may still have come through.
            since = struck + (pull_timeout_s if fault == signal.SIGSTOP else 0.3)
            asked = [event for event in events if event["peer"] == "site_b" and event["at"] > since]
            assert asked, "the absent site was asked"
            assert {event["outcome"] for event in asked} == {"unreachable"}
            assert max(event["seconds"] for event in events) < pull_timeout_s + 0.5
            # Before that, the other one may still have been starting.
            others = [event["outcome"] for event in events if event["peer"] != "site_b" and event["at"] > struck]
            answered = others.count("received") + others.count("nothing_new")
            assert "received" in others and answered > len(others) / 2, "the others go on exchanging"
            assert sum(event["phase"] == "train" for event in federation.events(site)) == 18


def test_sites_start_minutes_apart_in_any_order(tmp_path):
    with ToyFederation(tmp_path, ROSTER, rounds=30, round_s=0.1, values=1000, exchange={"schedule": "ring"}, timing={}) as late:
        late.start("site_c")
        assert late.wait_for_mark("site_c", "learn", 8)
        late.start("site_a")
        assert late.wait_for_mark("site_a", "learn", 3)
        late.start("site_b")
        late.wait(120)
        for site in ROSTER:
            assert late.result(site)["finals"] == ROSTER
            assert sum(event["phase"] == "train" for event in late.events(site)) == 30
        first, last = (
            [event["outcome"] for event in late.events(site) if event["phase"] == "exchange"] for site in ("site_c", "site_b")
        )
        assert first[0] == "unreachable", "nobody else was there"
        assert "received" in last, "a site that is ahead, or has ended, serves who comes late"
