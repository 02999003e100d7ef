"""Federations in which some sites cannot be called: the same models as without a firewall, in memory and over TLS."""

import hashlib
import threading
from collections.abc import Callable

import pytest

from experiments.federation.plan import free_ports
from experiments.toy_learner import ToyLearner, exchange_settings, timing_settings, toy_site
from src.errors import PlanSettingError
from src.exchange import closing
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.in_memory import InMemoryNetwork, InMemoryTransport
from src.exchange.reachability import can_meet, kind_of
from src.exchange.server import ExchangeServer
from src.exchange.transport import PeerUnreachable
from tests.src.exchange.tls import ExchangeAuthority

ROSTER = ["site_a", "site_b", "site_c"]
ONE_OUTBOUND = {"site_c": "outbound"}


class Firewalls(InMemoryNetwork):
    """In memory, and nobody reaches an outbound site."""

    def __init__(self, table):
        super().__init__()
        self.table = table

    def reach(self, caller, peer):
        if kind_of(self.table, peer) == "outbound":
            raise PeerUnreachable(f"{peer} is behind a firewall, and {caller} should have known")
        return super().reach(caller, peer)


class Federation:
    """Sites in threads; whatever ``table`` says they are, outbound ones really cannot be called."""

    def __init__(self, folder, kind, table, roster=ROSTER, *, rounds=5, exchange=None, timing=None, pace_s=None):
        self.folder, self.table, self.roster, self.rounds = folder, table, roster, rounds
        self.exchange = exchange_settings(**{"lock_step": True, "reachability": table, **(exchange or {})})
        self.timing = timing or timing_settings()
        self.events = {site: [] for site in roster}
        self.pace_s, self.close = pace_s or {}, []
        transport = {"in memory": self._in_memory, "gRPC": self._over_tls}[kind](roster)
        self.sites = {site: self._make(site, transport(site)) for site in roster}
        for site in roster:
            self.serve(site)

    def _make(self, site, transport):
        return toy_site(
            ToyLearner(site, round_s=self.pace_s.get(site, 0)),
            self.roster,
            transport,
            self.folder / site,
            lambda **facts: self.events[site].append(facts),
            rounds=self.rounds,
            exchange=self.exchange,
            timing=self.timing,
        )

    def _in_memory(self, roster) -> Callable:
        network = Firewalls(self.table)
        self.serve = lambda site: network.register(site, self.sites[site].served)
        return lambda site: InMemoryTransport(network, site)

    def _over_tls(self, roster) -> Callable:
        authority = ExchangeAuthority(self.folder / "pki")
        ports = dict(zip(roster, free_ports(len(roster)), strict=True))
        can_be_called = {site for site in roster if kind_of(self.table, site) == "direct"}

        def serve(site):
            if site in can_be_called:
                server = ExchangeServer(
                    self.sites[site].served,
                    bind_address=f"127.0.0.1:{ports[site]}",
                    roster=roster,
                    max_pulls=len(roster),
                    may_push=self.sites[site].brought_by,
                    **authority.issue(site),
                )
                server.start()
                self.close.append(lambda: server.stop(0))

        def transport(site):
            addresses = {
                peer: f"127.0.0.1:{port}" if peer in can_be_called else None for peer, port in ports.items() if peer != site
            }
            made = GrpcTransport(addresses, **authority.issue(site), own=site)
            self.close.append(made.close)
            return made

        self.serve = serve
        return transport

    def run(self):
        failures = []

        def one(site):
            try:
                site.run()
            except Exception as error:  # shown by the assertion below
                failures.append((site.site, error))

        threads = [threading.Thread(target=one, args=(site,), daemon=True) for site in self.sites.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads), "a site waits for somebody who never comes"
        for close in self.close:
            close()
        assert not failures
        return self

    def digests(self):
        return {name: hashlib.sha256(site.learner.weights.numpy().tobytes()).hexdigest() for name, site in self.sites.items()}

    def of(self, site, phase):
        return [event for event in self.events[site] if event["phase"] == phase]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    """Between two questions at the end; a second each is much for a test, and little for a run."""
    monkeypatch.setattr(closing, "_PAUSE_S", 0.05)


BOTH = pytest.mark.parametrize("kind", ["in memory", "gRPC"])


@pytest.mark.parametrize(
    ("kind", "schedule"), [("in memory", "base_k_plus_1"), ("gRPC", "base_k_plus_1"), ("in memory", "full"), ("gRPC", "chain")]
)
def test_with_one_outbound_site_the_models_are_those_of_three_direct_ones(tmp_path, kind, schedule):
    exchange = {"schedule": schedule, "lock_step": schedule != "chain"}
    if schedule == "chain":
        exchange["warm_up_rounds"] = 0
    direct = Federation(tmp_path / "direct", "in memory", {}, rounds=4, exchange=exchange).run()
    found = Federation(tmp_path / "outbound", kind, ONE_OUTBOUND, rounds=4, exchange=exchange).run()
    assert found.digests() == direct.digests()
    for site in ROSTER:
        assert found.sites[site].learner.finals == direct.sites[site].learner.finals == ROSTER
        outcomes = [event["outcome"] for phase in ("exchange", "closing") for event in found.of(site, phase)]
        assert set(outcomes) == {"received"}
    assert found.of("site_c", "push") and not found.of("site_a", "push")


@BOTH
def test_without_lock_step_an_outbound_site_is_heard_too_and_nobody_waits_at_the_end(tmp_path, kind):
    timing = timing_settings(closing_wait_s=30, serve_after_s=30)
    found = Federation(
        tmp_path,
        kind,
        ONE_OUTBOUND,
        rounds=8,
        timing=timing,
        exchange={"schedule": "full", "lock_step": False, "local_rounds_at_end": 2},
        pace_s={"site_a": 0.05, "site_b": 0.02, "site_c": 0.01},
    ).run()
    assert all(site.learner.finals == ROSTER for site in found.sites.values()), "the closing has everybody's model"
    for site in ("site_a", "site_b"):
        assert any(event["peer"] == "site_c" and event["outcome"] == "received" for event in found.of(site, "exchange"))


def test_two_outbound_sites_learn_of_each_other_over_the_direct_one_and_never_ask_each_other(tmp_path):
    table = {"site_b": "outbound", "site_c": "outbound"}
    found = Federation(tmp_path, "in memory", table, exchange={"schedule": "full"}).run()
    assert found.sites["site_a"].learner.finals == ROSTER
    assert found.sites["site_b"].learner.finals == ["site_a", "site_b"]
    for site in ("site_b", "site_c"):
        assert {event["peer"] for phase in ("exchange", "closing") for event in found.of(site, phase)} == {"site_a"}
    assert not can_meet("outbound", "outbound")


def test_two_outbound_sites_alone_are_refused():
    with pytest.raises(PlanSettingError, match="never meet"):
        exchange_settings(reachability={"site_a": "outbound", "site_b": "outbound"}).check_roster(["site_a", "site_b"])


def test_a_direct_site_that_was_away_is_brought_the_next_snapshot(tmp_path):
    found = Federation(tmp_path, "in memory", {"site_b": "outbound"}, ["site_a", "site_b"], exchange={"lock_step": False})
    away, network = found.sites["site_b"], found.sites["site_b"].transport._network
    network.take_offline("site_a")
    away.step()
    away.step()
    assert [event["outcome"] for event in found.of("site_b", "push")] == ["unreachable", "unreachable"]
    network.bring_online("site_a")
    away.step()
    assert found.of("site_b", "push")[-1]["outcome"] == "brought"
    found.sites["site_a"].step()
    found.sites["site_a"].step()
    exchanged = found.of("site_a", "exchange")
    assert [(event["peer"], event["outcome"]) for event in exchanged] == [("site_b", "received")]
    assert exchanged[0]["received_bytes"] > 0
    assert sum(away.served.take_sent_bytes().values()) == exchanged[0]["received_bytes"]


def test_a_brought_snapshot_is_used_once_and_a_hostile_one_never(tmp_path):
    found = Federation(tmp_path, "in memory", {"site_b": "outbound"}, ["site_a", "site_b"], exchange={"lock_step": False})
    honest, hostile = found.sites["site_a"], found.sites["site_b"]
    hostile.step()
    for _ in range(3):
        honest.step()
    assert [event["reason"] for event in found.of("site_a", "exchange")] == ["", "seen"]
    hostile.learner.weights.mul_(1e4)
    hostile.step()
    honest.step()
    assert found.of("site_a", "exchange")[-1]["reason"] == "norm"


def test_a_damaged_one_is_found_on_our_own_disk_and_not_held_against_the_peer(tmp_path):
    found = Federation(tmp_path, "in memory", {"site_b": "outbound"}, ["site_a", "site_b"], exchange={"lock_step": False})
    found.sites["site_b"].step()
    (path,) = (tmp_path / "site_a" / "brought" / "site_b").glob("*.snapshot")
    path.write_bytes(bytes(path.stat().st_size))
    found.sites["site_a"].step()
    found.sites["site_a"].step()
    assert found.of("site_a", "exchange")[-1]["outcome"] == "unreachable"
    assert not path.exists()


def test_a_restarted_outbound_site_ends_as_if_nothing_had_been(tmp_path):
    undisturbed = Federation(tmp_path / "undisturbed", "in memory", ONE_OUTBOUND).run()
    found = Federation(tmp_path / "disturbed", "in memory", ONE_OUTBOUND)
    for _ in range(2):
        for site in found.sites.values():
            if site.round == 0:
                site.step()
    network = found.sites["site_c"].transport._network
    found.sites["site_c"] = found._make("site_c", InMemoryTransport(network, "site_c"))
    found.sites["site_a"] = found._make("site_a", InMemoryTransport(network, "site_a"))
    for site in ("site_a", "site_c"):
        found.serve(site)
    assert found.run().digests() == undisturbed.digests()
