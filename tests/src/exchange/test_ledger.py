"""Nothing old is learnt from twice: over restarts, new epochs, damaged files and threads."""

import json
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.errors import FederationError
from src.exchange.ledger import Ledger, NothingNew
from src.exchange.transport import PeerRefused

A, B = "a" * 64, "b" * 64


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    ledger = Ledger(tmp_path / "state" / "ledger.json")
    ledger.note("site_b", 1, 5, A, exchange=3)
    return ledger


def test_nothing_is_seen_of_a_stranger(ledger):
    assert ledger.newest("site_c") == (0, 0)
    ledger.check("site_c", 1, 1, B, exchange=0)
    assert ledger.newest("site_b") == (1, 5)


def test_newer_is_taken_and_a_higher_epoch_beats_any_sequence(ledger):
    ledger.check("site_b", 1, 6, B, exchange=4)
    ledger.check("site_b", 2, 1, B, exchange=4)
    ledger.note("site_b", 2, 1, B, exchange=4)
    assert ledger.newest("site_b") == (2, 1)
    with pytest.raises(PeerRefused, match="raise its epoch"):
        ledger.check("site_b", 1, 99, A, exchange=5)


def test_the_same_again_is_for_the_same_exchange_alone(ledger):
    ledger.check("site_b", 1, 5, A, exchange=3)
    with pytest.raises(NothingNew, match="was used in exchange 3"):
        ledger.check("site_b", 1, 5, A, exchange=4)
    with pytest.raises(PeerRefused, match="other bytes"):
        ledger.check("site_b", 1, 5, B, exchange=3)


@pytest.mark.parametrize(("epoch", "sequence"), [(1, 4), (1, 1), (0, 99)])
def test_older_is_a_replay_and_is_not_noted(ledger, epoch, sequence):
    for _ in range(2):
        with pytest.raises(PeerRefused) as refused:
            ledger.check("site_b", epoch, sequence, A, exchange=3)
        assert refused.value.reason == "replay"
    with pytest.raises(PeerRefused) if epoch else pytest.raises(ValueError, match="expected numbers"):
        ledger.note("site_b", epoch, sequence, A, exchange=4)
    assert ledger.newest("site_b") == (1, 5)


def test_the_newest_may_be_noted_again_for_another_exchange(ledger):
    """A final model is used at the end, though an exchange used it before."""
    ledger.note("site_b", 1, 5, A, exchange=2**30)
    ledger.check("site_b", 1, 5, A, exchange=2**30)


def test_a_restarted_site_knows_what_it_knew(ledger, tmp_path):
    ledger.note("site_c", 1, 1, B, exchange=4)
    again = Ledger(tmp_path / "state" / "ledger.json")
    assert (again.newest("site_b"), again.newest("site_c")) == ((1, 5), (1, 1))
    again.check("site_b", 1, 5, A, exchange=3)
    with pytest.raises(NothingNew):
        again.check("site_b", 1, 5, A, exchange=4)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["ledger.json"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4), st.sampled_from([A, B])), max_size=12))
def test_what_is_noted_only_ever_grows(tmp_path_factory, offers):
    path = tmp_path_factory.mktemp("ledger") / "ledger.json"
    ledger, accepted = Ledger(path), []
    for exchange, (epoch, sequence, sha256) in enumerate(offers):
        try:
            ledger.check("site_b", epoch, sequence, sha256, exchange)
        except (PeerRefused, NothingNew):
            assert (epoch, sequence) <= accepted[-1]
            continue
        ledger.note("site_b", epoch, sequence, sha256, exchange)
        accepted.append((epoch, sequence))
        ledger = Ledger(path)
    assert accepted == sorted(set(accepted))
    assert ledger.newest("site_b") == (accepted[-1] if accepted else (0, 0))


ENTRY = {"epoch": 1, "sequence": 1, "sha256": A, "exchange": 0}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"ledger_version":1,"ledger_version":1,"peers":{}}',
        json.dumps([]).encode(),
        json.dumps({"ledger_version": 2, "peers": {}}).encode(),
        json.dumps({"ledger_version": 1, "peers": []}).encode(),
        *(
            json.dumps({"ledger_version": 1, "peers": {"site_b": {**ENTRY, **change}}}).encode()
            for change in (
                *({"epoch": 0}, {"sequence": 1.0}, {"sequence": True}, {"exchange": -1}, {"exchange": 2**31}),
                *({"sha256": "A" * 64}, {"sha256": "a" * 63}, {"sha256": None}, {"more": 1}),
            )
        ),
    ],
)
def test_a_damaged_ledger_stops_the_site_and_says_what_to_do(tmp_path, content):
    (tmp_path / "ledger.json").write_bytes(content)
    with pytest.raises(FederationError, match=r"'ledger.json'.*restore it from a backup, or delete it") as stopped:
        Ledger(tmp_path / "ledger.json")
    assert str(tmp_path) not in str(stopped.value)
    assert (tmp_path / "ledger.json").read_bytes() == content


def test_a_ledger_that_cannot_be_read_stops_the_site(tmp_path):
    with pytest.raises(FederationError, match="directory"):
        Ledger(tmp_path)


def test_threads_note_and_ask_at_once(tmp_path):
    ledger, faults = Ledger(tmp_path / "ledger.json"), []

    def work(peer: str) -> None:
        last = (0, 0)
        for sequence in range(1, 15):
            ledger.note(peer, 1, sequence, A, sequence)
            if not last < ledger.newest(peer) == (1, sequence):
                faults.append(peer)
            last = ledger.newest(peer)

    threads = [threading.Thread(target=work, args=(f"site_{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    again = Ledger(tmp_path / "ledger.json")
    assert {again.newest(f"site_{number}") for number in range(4)} == {(1, 14)}
