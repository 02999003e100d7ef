"""What a site's files say of it while it does not run."""

import os
import time

import pytest

from experiments.toy_learner import STRUCTURES, exchange_settings
from src.exchange.membership import SiteState
from src.run_log import RunLog
from src.status.own_state import own_card, read_events, saved_state
from tests.src.exchange.in_memory_federation import Federation

ROUNDS = 2


@pytest.fixture
def federation(tmp_path):
    return Federation(tmp_path, ["site_a", "site_b"], rounds=ROUNDS, exchange=exchange_settings("full"))


def card(tmp_path):
    return own_card("site_a", ROUNDS, tmp_path / "site_a", tmp_path / "logs")


def test_a_site_that_has_not_begun_is_an_empty_row(tmp_path):
    found = own_card("site_a", ROUNDS, tmp_path / "nothing", tmp_path / "nothing")
    assert found.state is found.round is found.snapshot_age_s is found.sent_bytes is found.mean_dice is None
    assert found.train_cases == found.valid_dice == {}
    assert saved_state(tmp_path / "nothing", ROUNDS) is SiteState.TRAINING
    assert not (tmp_path / "nothing").exists(), "looking makes no folders"


def test_the_saved_state_follows_the_run(tmp_path, federation):
    site = federation.sites["site_a"]
    site.resume()
    states = []
    for _ in range(ROUNDS):
        site.step()
        states.append((card(tmp_path).state, card(tmp_path).round))
    assert states == [("training", 1), ("finished", 2)]
    site.closed = True
    site.save()
    assert saved_state(tmp_path / "site_a", ROUNDS) is SiteState.CLOSED
    found = card(tmp_path)
    assert found.train_cases == dict.fromkeys(STRUCTURES, 4)
    assert (found.mean_dice, found.code_version) == (0.5, "toy")


def test_the_age_is_that_of_the_newest_snapshot(tmp_path, federation):
    site = federation.sites["site_a"]
    site.resume()
    site.step()
    os.utime(site.outbox.newest().path, (time.time() - 500,) * 2)
    assert 500 <= card(tmp_path).snapshot_age_s < 520
    site.step()
    assert card(tmp_path).snapshot_age_s < 60


def test_looking_leaves_the_folder_as_it_is_whatever_is_spoiled_in_it(tmp_path, federation):
    site = federation.sites["site_a"]
    site.resume()
    site.step()
    site.step()
    checkpoint = tmp_path / "site_a" / "checkpoint" / "checkpoint.safetensors"
    checkpoint.write_bytes(b"spoiled")
    site.outbox.newest().path.write_bytes(b"spoiled")
    before = {path: path.read_bytes() for path in (tmp_path / "site_a").rglob("*") if path.is_file()}
    found = card(tmp_path)
    assert found.round == 1, "the checkpoint before"
    assert found.mean_dice == 0.5, "the snapshot before"
    assert {path: path.read_bytes() for path in (tmp_path / "site_a").rglob("*") if path.is_file()} == before


def test_bytes_are_those_of_the_log_and_a_repeated_exchange_counts_once(tmp_path):
    log = RunLog(tmp_path / "logs")
    exchanged = dict(phase="exchange", peer="site_b", outcome="received")
    log.event(round_number=1, **exchanged, received_bytes=100, sent_bytes=5, replayed=False)
    log.event(round_number=1, **exchanged, received_bytes=100, sent_bytes=0, replayed=True)
    log.event(round_number=1, phase="train", loss=0.5)
    log.event(round_number=2, phase="closing", peer="site_c", outcome="unreachable", received_bytes=1, sent_bytes=2)
    log.event(round_number=2, phase="served", sent_bytes=3)
    with (tmp_path / "logs" / "metrics.jsonl").open("a") as file:
        file.write('7\nno event\n{"phase": "exchange", "peer": "si')
    found = card(tmp_path)
    assert (found.received_bytes, found.sent_bytes) == (101, 10)
    assert (found.last_peer, found.last_outcome, found.last_age_s) == ("site_c", "unreachable", None)
    assert len(read_events(tmp_path / "logs" / "metrics.jsonl")) == 5
