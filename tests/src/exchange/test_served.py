"""What a caller is shown, and who is shown nothing."""

import os
import threading
import time
from dataclasses import replace

import pytest
import torch

from src.exchange.ledger import Ledger
from src.exchange.membership import Greeting, LastExchange, SiteState
from src.exchange.outbox import Outbox
from src.exchange.served import ServedSite
from src.exchange.transport import PeerRefused
from tests.src.exchange.small_snapshots import manifest
from tests.src.exchange.tls import MEMBERSHIP, ROSTER, greeting_of


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path / "outbox", keep=2)


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger.json")


@pytest.fixture
def served(outbox, ledger):
    return ServedSite("site_b", ROSTER, MEMBERSHIP, outbox, ledger, {"Brainstem": 4})


def publish(outbox, sequence: int):
    facts = manifest(sequence=sequence, round=sequence, epoch=2)
    return outbox.publish(facts, {"weight": torch.full((9,), float(sequence))}, "float32")


def test_before_the_first_round_it_says_who_it_is_and_offers_nothing(served):
    found = served.greet("site_a", greeting_of("site_a"), wanted_round=None)
    assert (found.site, found.membership, found.state, found.round) == ("site_b", MEMBERSHIP, SiteState.TRAINING, 0)
    assert (found.sequence, found.sha256, found.size_bytes) == (0, "", 0)
    assert found.train_cases == {"Brainstem": 4}


def test_it_offers_the_newest_or_that_of_a_round_and_nothing_else(served, outbox):
    files = {sequence: publish(outbox, sequence) for sequence in (1, 2, 3)}
    for wanted, sequence in ((None, 3), (2, 2), (3, 3), (1, 0), (4, 0), (0, 0)):
        found = served.greet("site_a", greeting_of("site_a"), wanted_round=wanted)
        assert (found.sequence, found.snapshot_round) == (sequence, sequence)
        if sequence:
            assert (found.epoch, found.sha256) == (2, files[sequence].sha256)
            path = served.open_snapshot("site_a", greeting_of("site_a"), found.sha256)
            assert path.stat().st_size == found.size_bytes


def test_a_digest_it_does_not_offer_is_gone(served, outbox):
    old = publish(outbox, 1)
    for sequence in (2, 3):
        publish(outbox, sequence)
    for sha256 in (old.sha256, "0" * 64, "", "../ledger.json"):
        with pytest.raises(PeerRefused, match="no longer offered") as refused:
            served.open_snapshot("site_a", greeting_of("site_a"), sha256)
        assert refused.value.reason == "gone"


STRANGERS = [
    ("site_x", greeting_of("site_x"), "roster"),
    ("site_a", greeting_of("site_c"), "name"),
    ("site_a", replace(greeting_of("site_a"), state="idle"), "state"),
    *(
        ("site_a", replace(greeting_of("site_a"), membership=replace(MEMBERSHIP, **{name: "other"})), reason)
        for name, reason in (
            ("federation_id", "federation"),
            ("run_id", "run"),
            ("roster_digest", "roster"),
            ("architecture_hash", "architecture"),
            ("initial_digest", "initial"),
        )
    ),
    ("site_a", replace(greeting_of("site_a"), membership=replace(MEMBERSHIP, protocol_version=2)), "protocol"),
]


@pytest.mark.parametrize(("caller", "greeting", "reason"), STRANGERS, ids=[f"{row[2]}-{row[0]}" for row in STRANGERS])
def test_a_stranger_is_shown_nothing_and_leaves_no_trace(served, outbox, caller, greeting, reason):
    offered = publish(outbox, 1)
    for ask in (
        lambda: served.greet(caller, greeting, wanted_round=None),
        lambda: served.open_snapshot(caller, greeting, offered.sha256),
    ):
        with pytest.raises(PeerRefused) as refused:
            ask()
        assert refused.value.reason == reason
    assert served.caller_states() == {}


def test_it_remembers_where_each_caller_was_last(served):
    for caller, state in (("site_a", "training"), ("site_c", "finished"), ("site_a", "closed")):
        served.greet(caller, replace(greeting_of(caller), state=SiteState(state)), wanted_round=None)
    assert served.caller_states() == {"site_a": SiteState.CLOSED, "site_c": SiteState.FINISHED}


def test_a_caller_hears_what_was_seen_of_it(served, ledger):
    ledger.note("site_a", 1, 7, "a" * 64, 3)
    found = served.greet("site_a", greeting_of("site_a"), wanted_round=None)
    assert (found.seen_epoch, found.seen_sequence) == (1, 7)
    found = served.greet("site_c", greeting_of("site_c"), wanted_round=None)
    assert (found.seen_epoch, found.seen_sequence) == (0, 0)


def test_it_says_the_same_of_itself_when_it_answers_and_when_it_calls(served):
    served.stand(SiteState.FINISHED, 12)
    found = served.greet("site_a", greeting_of("site_a"), wanted_round=None)
    assert (found.state, found.round) == (SiteState.FINISHED, 12)
    assert served.greeting() == Greeting(site="site_b", membership=MEMBERSHIP, state=SiteState.FINISHED)


def test_no_sent_byte_is_lost_or_counted_twice(served):
    def send(caller):
        for _ in range(500):
            served.count_sent(caller, 3)

    threads = [threading.Thread(target=send, args=(caller,)) for caller in ("site_a", "site_c") * 2]
    for thread in threads:
        thread.start()
    taken = []
    while any(thread.is_alive() for thread in threads):
        taken.append(served.take_sent_bytes())
    taken.append(served.take_sent_bytes())
    for caller in ("site_a", "site_c"):
        assert sum(sent.get(caller, 0) for sent in taken) == 3000
    assert served.take_sent_bytes() == {}


# For people.


def test_a_question_is_answered_and_leaves_no_trace(served):
    served.greet("site_a", replace(greeting_of("site_a"), state=SiteState.CLOSED), wanted_round=None)
    question = replace(greeting_of("site_a"), state=SiteState.TRAINING, is_question=True)
    assert served.greet("site_a", question, wanted_round=None).site == "site_b"
    served.greet("site_c", replace(greeting_of("site_c"), state=SiteState.CLOSED, is_question=True), wanted_round=None)
    assert served.caller_states() == {"site_a": SiteState.CLOSED}, (
        "a closed site must not seem to train again, nor one to close"
    )


def test_a_site_may_ask_itself_how_it_stands_and_nothing_else(served, outbox):
    offered = publish(outbox, 1)
    own = greeting_of("site_b")
    assert served.greet("site_b", replace(own, is_question=True), wanted_round=None).sequence == 1
    for ask in (
        lambda: served.greet("site_b", own, wanted_round=None),
        lambda: served.open_snapshot("site_b", replace(own, is_question=True), offered.sha256),
    ):
        with pytest.raises(PeerRefused) as refused:
            ask()
        assert refused.value.reason == "name"
    assert served.caller_states() == {}


def ask(served):
    return served.greet("site_a", greeting_of("site_a"), wanted_round=None)


def test_before_anything_happened_it_says_so(outbox, ledger):
    found = ask(ServedSite("site_b", ROSTER, MEMBERSHIP, outbox, ledger, {}, "openfl-oar 1"))
    assert (found.valid_dice, found.valid_cases, found.last_exchange, found.snapshot_age_s) == ({}, {}, None, None)
    assert (found.sent_bytes, found.received_bytes, found.code_version) == (0, 0, "openfl-oar 1")
    assert abs(found.unix_time_s - time.time()) < 5


def test_it_tells_the_dice_of_the_newest_snapshot_whichever_is_asked_for(served, outbox):
    for sequence, dice in ((1, 0.25), (2, 0.75)):
        facts = manifest(sequence=sequence, round=sequence, valid_dice={"Brainstem": dice, "Parotid_L": None})
        outbox.publish(facts, {"weight": torch.ones(9)}, "float32")
    found = served.greet("site_a", greeting_of("site_a"), wanted_round=1)
    assert found.snapshot_round == 1
    assert (found.valid_dice, found.valid_cases) == ({"Brainstem": 0.75}, {"Brainstem": 2, "Parotid_L": 0})


def test_bytes_are_told_since_the_start_whatever_the_log_has_taken(served):
    served.count_sent("site_a", 30)
    served.take_sent_bytes()
    served.count_sent("site_c", 4)
    served.note_exchange("site_a", "received", 100)
    served.note_exchange("site_c", "unreachable", 1)
    found = ask(served)
    assert (found.sent_bytes, found.received_bytes) == (34, 101)
    assert found.last_exchange == LastExchange(peer="site_c", outcome="unreachable", age_s=found.last_exchange.age_s)
    assert 0 <= found.last_exchange.age_s < 5


def test_the_age_of_a_snapshot_runs_on_whatever_becomes_of_the_clock_and_begins_anew_with_the_next(served, outbox, monkeypatch):
    os.utime(publish(outbox, 1).path, (time.time() - 1000,) * 2)
    served.stand(SiteState.TRAINING, 1)
    assert 1000 <= ask(served).snapshot_age_s < 1010, "it was published before this start"
    set_back = time.time() - 7200
    monkeypatch.setattr("src.exchange.served.time.time", lambda: set_back)
    assert 1000 <= ask(served).snapshot_age_s < 1010
    publish(outbox, 2)
    assert 0 <= ask(served).snapshot_age_s < 10
