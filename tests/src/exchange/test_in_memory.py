"""Sites of one process: the same answers, refusals and files as over a network."""

import os
from dataclasses import replace

import pytest

from src.exchange.in_memory import InMemoryNetwork, InMemoryTransport
from src.exchange.transport import PeerRefused, PeerUnreachable
from tests.src.exchange.tls import MEMBERSHIP, OneSnapshot, greeting_of

SNAPSHOT_BYTES = 3_000_001


@pytest.fixture
def service(tmp_path):
    snapshot = tmp_path / "offered"
    snapshot.write_bytes(os.urandom(SNAPSHOT_BYTES))
    return OneSnapshot("site_b", snapshot)


@pytest.fixture
def network(service):
    network = InMemoryNetwork()
    network.register("site_b", service)
    return network


@pytest.fixture
def transport(network):
    return InMemoryTransport(network, "site_a")


def describe(transport, greeting=None, **changes):
    greeting = greeting or greeting_of("site_a")
    return transport.describe("site_b", greeting, **{"wanted_round": None, "timeout_s": 5.0, **changes})


def pull(transport, description, target, timeout_s=5.0):
    return transport.pull("site_b", greeting_of("site_a"), description, target, timeout_s=timeout_s)


def test_a_snapshot_arrives_whole_and_is_counted_by_everybody(transport, network, service, tmp_path):
    fetched_bytes = pull(transport, describe(transport, wanted_round=4), tmp_path / "pulled")
    assert (tmp_path / "pulled").read_bytes() == service.snapshot.read_bytes()
    assert fetched_bytes == service.sent_bytes["site_a"] == network.sent_bytes("site_b") == SNAPSHOT_BYTES
    assert network.sent_bytes("site_a") == 0
    assert service.greeted[0] == ("site_a", greeting_of("site_a"), 4)


def test_a_pull_goes_on_where_an_earlier_one_ended(transport, service, tmp_path):
    described = describe(transport)
    (tmp_path / f"pulled.{described.sha256[:16]}.partial").write_bytes(service.snapshot.read_bytes()[:1_000_000])
    assert pull(transport, described, tmp_path / "pulled") == SNAPSHOT_BYTES - 1_000_000
    assert (tmp_path / "pulled").read_bytes() == service.snapshot.read_bytes()


@pytest.mark.parametrize("offline", ["site_a", "site_b"])
def test_an_offline_site_neither_calls_nor_is_called(transport, network, offline, tmp_path):
    described = describe(transport)
    network.take_offline(offline)
    with pytest.raises(PeerUnreachable):
        describe(transport)
    with pytest.raises(PeerUnreachable):
        pull(transport, described, tmp_path / "pulled")
    network.bring_online(offline)
    assert describe(transport) == described


def test_a_site_that_goes_offline_during_a_pull_breaks_it_and_what_came_is_kept(transport, network, service, tmp_path):
    described = describe(transport)
    count = service.count_sent
    service.count_sent = lambda caller, num_bytes: (count(caller, num_bytes), network.take_offline("site_b"))
    with pytest.raises(PeerUnreachable):
        pull(transport, described, tmp_path / "pulled")
    kept_bytes = service.sent_bytes["site_a"]
    assert 0 < kept_bytes < SNAPSHOT_BYTES
    network.bring_online("site_b")
    service.count_sent = count
    assert pull(transport, described, tmp_path / "pulled") == SNAPSHOT_BYTES - kept_bytes


def test_a_site_nobody_knows_is_unreachable(network):
    with pytest.raises(PeerUnreachable, match="site_c"):
        InMemoryTransport(network, "site_a").describe("site_c", greeting_of("site_a"), wanted_round=None, timeout_s=1.0)


def test_a_greeting_in_anothers_name_is_refused(transport):
    with pytest.raises(PeerRefused) as refused:
        describe(transport, greeting_of("site_c"))
    assert refused.value.reason == "name"


def test_what_the_site_refuses_reaches_the_caller(transport):
    with pytest.raises(PeerRefused) as refused:
        describe(transport, replace(greeting_of("site_a"), membership=replace(MEMBERSHIP, run_id="another")))
    assert refused.value.reason == "run"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"size_bytes": SNAPSHOT_BYTES - 1}, "size"), ({"size_bytes": SNAPSHOT_BYTES + 1}, "size"), ({"sequence": 0}, "absent")],
)
def test_a_description_that_does_not_fit_the_snapshot_is_refused(transport, tmp_path, changes, reason):
    with pytest.raises(PeerRefused) as refused:
        pull(transport, replace(describe(transport), **changes), tmp_path / "pulled")
    assert refused.value.reason == reason
    assert not (tmp_path / "pulled").exists()


def test_a_snapshot_that_changed_after_it_was_described_is_refused(transport, service, tmp_path):
    described = describe(transport)
    changed = tmp_path / "changed"
    changed.write_bytes(bytes(SNAPSHOT_BYTES))
    service.open_snapshot = lambda caller, greeting, sha256: changed
    with pytest.raises(PeerRefused) as refused:
        pull(transport, described, tmp_path / "pulled")
    assert refused.value.reason == "digest"
    assert not list(tmp_path.glob("pulled*"))


def test_the_time_given_is_kept(transport, tmp_path):
    with pytest.raises(PeerUnreachable, match="in time"):
        pull(transport, describe(transport), tmp_path / "pulled", timeout_s=0.0)
