"""The end of a run: who is waited for, how long, what a restart finds, and when a site may leave."""

import threading
import time
from collections import Counter

import pytest
import torch

from experiments.simulation import run_in_turns
from experiments.toy_learner import ToyLearner, exchange_settings, timing_settings
from src.exchange.closing import Closing
from src.exchange.in_memory import InMemoryTransport
from src.exchange.membership import SiteState
from src.exchange.transport import PeerUnreachable
from tests.src.exchange.in_memory_federation import Federation

PAIR = ["site_a", "site_b"]
THREE = ["site_a", "site_b", "site_c"]
SHORT = dict(closing_wait_s=0.6, serve_after_s=0.4)


def federation_of(folder, roster, **changes):
    """Sites of two rounds, without waiting for each other's; the settings may be changed."""
    return Federation(folder, roster, **{"rounds": 2, "exchange": exchange_settings("full"), **changes})


def train(*sites):
    for site in sites:
        site.resume()
        while site.round < site.rounds:
            site.step()


def end_together(*sites, within_s: float = 40):
    """Runs sites to their end, each in a thread; says how long it took."""
    began = time.monotonic()
    threads = [threading.Thread(target=Closing(site).run, daemon=True) for site in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(within_s)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return time.monotonic() - began


def outcomes(federation, site):
    return {event["peer"]: (event["outcome"], event["reason"]) for event in federation.of(site, "closing")}


class Completing(ToyLearner):
    """Its model is another after the end of the run, as that of the completion phase is."""

    def finish(self, round_number, finals, chain_end):
        self.weights += 1.0
        return super().finish(round_number, finals, chain_end)


@pytest.fixture
def completing(monkeypatch):
    monkeypatch.setattr("tests.src.exchange.in_memory_federation.ToyLearner", Completing)


# Waiting.


def test_who_is_not_done_in_time_is_left_out(tmp_path):
    federation = federation_of(tmp_path, THREE, timing=timing_settings(**SHORT))
    train(federation.sites["site_a"])
    federation.sites["site_b"].resume()
    federation.sites["site_b"].step()
    federation.network.take_offline("site_c")
    took_s = end_together(federation.sites["site_a"])
    assert 1.0 <= took_s < 12
    assert outcomes(federation, "site_a") == {
        "site_b": ("nothing_new", "not_final"),
        "site_c": ("unreachable", "unreachable"),
    }
    assert federation.sites["site_a"].learner.finals == ["site_a"]
    assert federation.sites["site_a"].closed


def test_who_is_done_late_but_in_time_is_in(tmp_path):
    federation = federation_of(tmp_path, PAIR)
    train(federation.sites["site_a"])
    late = threading.Timer(1.2, lambda: train(federation.sites["site_b"]))
    late.start()
    Closing(federation.sites["site_a"]).finish()
    late.join()
    assert federation.sites["site_a"].learner.finals == PAIR


class Stalling(InMemoryTransport):
    """A line to peers that take a call and never answer it."""

    def __init__(self, network, own, stalled):
        super().__init__(network, own)
        self.stalled = stalled

    def describe(self, peer, greeting, *, wanted_round, timeout_s):
        if peer in self.stalled:
            time.sleep(timeout_s)
            raise PeerUnreachable(f"{peer} does not answer")
        return super().describe(peer, greeting, wanted_round=wanted_round, timeout_s=timeout_s)


def test_peers_that_stall_do_not_stretch_the_wait_and_everybody_else_is_asked(tmp_path):
    federation = federation_of(tmp_path, THREE, timing=timing_settings(connect_timeout_s=30, **SHORT))
    train(federation.sites["site_a"], federation.sites["site_c"])
    site = federation.sites["site_a"]
    site.transport = site.fetcher.transport = Stalling(federation.network, "site_a", ["site_b"])
    assert end_together(site) < 20, "30 s would be the connection's own patience"
    assert outcomes(federation, "site_a") == {"site_b": ("unreachable", "unreachable"), "site_c": ("received", "")}


class Unaddressed(InMemoryTransport):
    """A line from a site that has nobody's address."""

    def describe(self, peer, greeting, *, wanted_round, timeout_s):
        raise PeerUnreachable(f"{peer} has no address")


def test_nobody_waits_for_a_site_that_cannot_be_called(tmp_path):
    federation = federation_of(tmp_path, PAIR, timing=timing_settings(closing_wait_s=60, serve_after_s=60))
    train(*federation.sites.values())
    site = federation.sites["site_a"]
    site.without_address = ["site_b"]
    site.transport = site.fetcher.transport = Unaddressed(federation.network, "site_a")
    assert end_together(*federation.sites.values()) < 30, "it calls, and so it is heard of"
    assert federation.sites["site_b"].learner.finals == PAIR
    assert site.learner.finals == ["site_a"]


def test_a_final_model_that_is_unfit_is_fetched_once_and_not_waited_for(tmp_path):
    federation = federation_of(tmp_path, PAIR, timing=timing_settings(closing_wait_s=60, serve_after_s=60))
    site_a, site_b = federation.sites.values()
    train(site_a)
    site_b.resume()
    site_b.step()
    site_b.learner.target *= 1e6
    site_b.step()
    assert end_together(site_a, site_b) < 30
    assert outcomes(federation, "site_a") == {"site_b": ("refused", "norm")}
    assert site_a.learner.finals == ["site_a"]
    size_bytes = site_b.outbox.newest().size_bytes
    assert federation.network.sent_bytes("site_b") <= 2 * size_bytes, "once in a round, once at the end"
    sent = sum(event.get("sent_bytes", 0) for event in federation.events["site_b"])
    assert sent == sum(event.get("received_bytes", 0) for event in federation.events["site_a"])


def test_a_site_whose_every_model_went_wrong_still_ends_and_so_do_the_others(tmp_path):
    federation = federation_of(tmp_path, PAIR, timing=timing_settings(**SHORT))
    site_a, site_b = federation.sites.values()
    site_b.learner.target[0] = float("nan")
    train(site_a, site_b)
    assert site_b.outbox.newest() is None
    end_together(site_a, site_b)
    assert outcomes(federation, "site_a") == {"site_b": ("nothing_new", "nothing_to_offer")}
    assert site_b.learner.finals == [], "of its own there is none, and no model has a norm near that of one that is none"
    assert torch.isfinite(site_a.learner.weights).all()


# Restarts.


def test_stopped_between_its_last_round_and_the_end_it_does_it_again_without_fetching_again(tmp_path, monkeypatch, completing):
    federation = federation_of(tmp_path, PAIR)
    train(*federation.sites.values())
    site = federation.sites["site_a"]
    before = site.learner.weights.clone()
    monkeypatch.setattr(site, "save", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        Closing(site).finish()
    assert site.learner.finals == PAIR, "killed after the end was made, before it was written down"
    again = federation.sites["site_a"] = federation.make("site_a")
    end = threading.Thread(target=federation.sites["site_b"].run, daemon=True)
    end.start()
    again.run()
    end.join(40)
    assert not end.is_alive()
    assert again.learner.finals == PAIR
    assert torch.equal(again.learner.weights, before + 1), "completed once, not twice"
    first, second = federation.of("site_a", "closing")
    assert first["received_bytes"] > 0 and second["received_bytes"] == 0
    assert Counter(event["phase"] for event in federation.events["site_a"])["train"] == 2


def test_restarted_after_the_end_it_only_serves_and_offers_what_it_offered(tmp_path, monkeypatch, completing):
    federation = federation_of(tmp_path, PAIR)
    train(*federation.sites.values())
    offered = federation.sites["site_a"].outbox.newest()
    Closing(federation.sites["site_a"]).finish()
    again = federation.sites["site_a"] = federation.make("site_a")
    for name in ("learn", "validate", "finish"):
        monkeypatch.setattr(again.learner, name, lambda *_: pytest.fail("it only serves"))
    serving = threading.Thread(target=again.run, daemon=True)
    serving.start()
    federation.sites["site_b"].run()
    serving.join(40)
    assert not serving.is_alive()
    assert again.outbox.newest() == offered, "the completed model is not the final one"
    assert federation.sites["site_b"].learner.finals == PAIR
    restored = federation.make("site_a")
    restored.resume()
    assert restored.closed and torch.equal(restored.learner.weights, again.learner.weights)


def test_a_restart_after_the_end_says_so_to_those_who_wait(tmp_path):
    federation = federation_of(tmp_path, PAIR)
    run_in_turns(list(federation.sites.values()))
    again = federation.make("site_a")
    again.resume()
    assert again.served.greeting().state is SiteState.CLOSED


# Leaving.


def test_everybody_leaves_as_soon_as_all_have_what_they_need(tmp_path):
    federation = federation_of(tmp_path, THREE, timing=timing_settings(closing_wait_s=120, serve_after_s=120))
    train(*federation.sites.values())
    assert end_together(*federation.sites.values()) < 30
    for site in federation.sites.values():
        assert site.learner.finals == THREE
        assert len(federation.of(site.site, "served")) == 1


def test_who_never_closes_is_served_as_long_as_the_plan_says(tmp_path):
    federation = federation_of(tmp_path, PAIR, timing=timing_settings(closing_wait_s=20, serve_after_s=1.5))
    train(*federation.sites.values())
    assert 1.5 <= end_together(federation.sites["site_a"]) < 15
    assert federation.sites["site_a"].learner.finals == PAIR


def test_bytes_sent_after_the_last_round_are_logged(tmp_path):
    federation = federation_of(tmp_path, THREE)
    train(*federation.sites.values())
    end_together(*federation.sites.values())
    for site in THREE:
        logged = sum(event.get("sent_bytes", 0) for event in federation.events[site])
        assert logged == federation.network.sent_bytes(site) > 0
