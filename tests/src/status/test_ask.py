"""Asking over real TLS: what comes of sites that answer, are silent, are older, or say what cannot be."""

import json
import socket
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from src.exchange.membership import Description, LastExchange, SiteState
from src.exchange.transport import PeerRefused
from src.status.card import card_of
from tests.src.exchange.small_snapshots import STRUCTURES
from tests.src.exchange.tls import MEMBERSHIP, ROSTER, OneSnapshot
from tests.src.status.status_federation import ROUNDS, StatusFederation, publish


@pytest.fixture
def federation(tmp_path):
    return StatusFederation(tmp_path)


def cards(overview):
    return {card.site: card for card in overview.cards}


def test_everybody_who_runs_says_how_it_stands_this_site_too(federation):
    with ExitStack() as stack:
        sites = {name: federation.site(name, {"Brainstem": 4, "Parotid_L": 0 if name == "site_a" else 2}) for name in ROSTER}
        for site in sites.values():
            stack.enter_context(federation.serving(site))
        publish(sites["site_b"], 2)
        sites["site_b"].stand(SiteState.FINISHED, ROUNDS)
        sites["site_b"].note_exchange("site_c", "received", 500)
        sites["site_b"].count_sent("site_c", 7)
        found = federation.overview()
        assert [card.answer for card in found.cards] == ["answered"] * 3
        assert found.exit_code == 0
        card = cards(found)["site_b"]
        assert (card.state, card.round, card.last_peer, card.last_outcome) == ("finished", ROUNDS, "site_c", "received")
        assert 0 <= card.last_age_s < 30 and 0 <= card.snapshot_age_s < 30
        assert (card.sent_bytes, card.received_bytes, card.code_version) == (7, 500, "openfl-oar 0.1.0")
        assert (card.valid_dice, card.valid_cases, card.mean_dice) == (
            {"Brainstem": 0.5},
            {"Brainstem": 2, "Parotid_L": 0},
            0.5,
        )
        assert found.lacking() == {"Parotid_L": {"site_b": 2, "site_c": 2}}


def test_a_question_changes_nothing_at_a_peer(federation):
    site = federation.site("site_b", {"Brainstem": 1})
    site.greet("site_a", replace(site.greeting(), site="site_a", state=SiteState.CLOSED), wanted_round=None)
    before = site.caller_states(), sorted(path.name for path in (federation.folder / "site_b").rglob("*"))
    with federation.serving(site) as server:
        assert cards(federation.overview())["site_b"].answer == "answered"
        assert server.refusals == {}
    assert before == (site.caller_states(), sorted(path.name for path in (federation.folder / "site_b").rglob("*")))
    assert site.caller_states() == {"site_a": SiteState.CLOSED}


def test_who_is_silent_costs_no_more_than_the_time_given_and_keeps_the_time_it_was_seen(federation):
    with federation.serving(federation.site("site_b", {})):
        federation.overview()
    seen = json.loads((federation.folder / "site_a" / "last_seen.json").read_text())
    assert list(seen) == ["site_b"] and abs(seen["site_b"] - time.time()) < 60
    # One refuses at once, one takes the call and never answers.
    with socket.create_server(("127.0.0.1", federation.ports["site_c"])):
        began = time.monotonic()
        found = federation.overview(timeout_s=1.0)
        assert time.monotonic() - began < 5
    assert [card.answer for card in found.cards] == ["not running", "unreachable", "unreachable"]
    assert (found.missing, found.exit_code) == (["site_b", "site_c"], 1)
    assert cards(found)["site_b"].seen_unix_s == seen["site_b"]
    assert cards(found)["site_c"].seen_unix_s is None


def test_a_peer_without_an_address_is_not_called_and_not_missing(federation):
    with federation.serving(federation.site("site_b", {})):
        addresses = {"site_b": f"127.0.0.1:{federation.ports['site_b']}", "site_c": None}
        found = federation.overview(addresses=addresses)
    assert [card.answer for card in found.cards] == ["not called", "answered", "not called"]
    assert found.exit_code == 0


def test_a_peer_of_an_older_version_answers_with_what_it_knows(federation):
    snapshot = federation.folder / "snapshot"
    snapshot.write_bytes(b"anything")
    older = OneSnapshot("site_b", snapshot)
    older.greet = lambda *arguments, **named: replace(
        OneSnapshot.greet(older, *arguments, **named), train_cases={"Parotid_L": 3}
    )
    with federation.serving(older):
        card = cards(federation.overview())["site_b"]
    assert (card.answer, card.state, card.round, card.train_cases) == ("answered", "training", 7, {"Parotid_L": 3})
    assert card.last_peer is card.snapshot_age_s is card.sent_bytes is card.received_bytes is card.mean_dice is None
    # It remembers what callers say of themselves, so that must be true: this site has not begun.
    (_, greeting, wanted_round) = older.greeted[0]
    assert (greeting.state, greeting.is_question, wanted_round) == (SiteState.TRAINING, True, None)


def test_another_federation_is_refused_in_its_row(federation):
    with federation.serving(federation.site("site_b", {})):
        found = federation.overview(membership=replace(MEMBERSHIP, run_id="2"))
    card = cards(found)["site_b"]
    assert card.answer == "refused" and card.fault.startswith("run: ")
    assert "site_b" in found.missing


DESCRIPTION = Description(
    site="site_b",
    membership=MEMBERSHIP,
    state=SiteState.TRAINING,
    round=3,
    epoch=1,
    sequence=0,
    snapshot_round=0,
    sha256="",
    size_bytes=0,
)


@pytest.mark.parametrize(
    "changes",
    [
        {"train_cases": {"Liver": 1}},
        {"valid_cases": {"Liver": 1}},
        {"valid_dice": {"Parotid_L": 0.5, "Nothing": 0.5}},
        {"round": ROUNDS + 1},
        {"last_exchange": LastExchange(peer="site_x", outcome="received", age_s=1.0)},
        {"last_exchange": LastExchange(peer="site_b", outcome="received", age_s=1.0)},
        {"membership": replace(MEMBERSHIP, initial_digest="other")},
    ],
)
def test_what_the_plan_does_not_have_is_refused(changes):
    known = dict(membership=MEMBERSHIP, roster=ROSTER, structures=STRUCTURES, rounds=ROUNDS, now_s=5.0)
    assert card_of(DESCRIPTION, **known).seen_unix_s == 5.0
    with pytest.raises(PeerRefused) as refused:
        card_of(replace(DESCRIPTION, **changes), **known)
    assert refused.value.reason == ("federation" if "membership" in changes else "range")
