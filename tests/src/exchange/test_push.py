"""A site that nobody can call brings its snapshot: over real TLS, and what a hostile one can try."""

import hashlib
import os
import time
from contextlib import contextmanager
from dataclasses import replace

import grpc
import pytest
import torch

from src.exchange import messages
from src.exchange.brought import BroughtSnapshots
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.in_memory import InMemoryNetwork, InMemoryTransport
from src.exchange.ledger import Ledger
from src.exchange.membership import Description, SiteState
from src.exchange.reception import Reception
from src.exchange.server import ExchangeServer
from src.exchange.tensor_layout import TensorLayout
from src.exchange.transport import PeerRefused, PeerUnreachable
from tests.src.exchange.tls import MEMBERSHIP, ROSTER, ExchangeAuthority, OneSnapshot, greeting_of, plain_stub

PATIENCE_S = 10.0
SIZE_BYTES = 300_001
# A model of a size that the snapshots here fit into.
LAYOUT = TensorLayout.of({"weights": torch.zeros(80_000)})


class Receiving(OneSnapshot):
    """``site_b``, to which ``site_a`` may bring."""

    def __init__(self, folder):
        (folder / "own").write_bytes(b"own")
        super().__init__("site_b", folder / "own")
        self.folder, self.ledger = folder / "brought", Ledger(folder / "ledger.json")
        self.snapshots = BroughtSnapshots(self.folder, ["site_a"], keep=1)
        self.reception = Reception(
            membership=MEMBERSHIP,
            roster=ROSTER,
            may_bring=["site_a"],
            ledger=self.ledger,
            layout=LAYOUT,
            snapshots=self.snapshots,
        )

    def receive(self, caller, greeting, description):
        return self.reception.receive(caller, greeting, description)

    def files(self):
        return sorted(path.name for path in (self.folder / "site_a").iterdir())


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return ExchangeAuthority(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture
def service(tmp_path):
    return Receiving(tmp_path)


@pytest.fixture
def content():
    return os.urandom(SIZE_BYTES)


@contextmanager
def serving(authority, service, **changes):
    settings = {"bind_address": "127.0.0.1:0", "roster": ROSTER, "max_pulls": 2, "may_push": ["site_a"], **changes}
    server = ExchangeServer(service, **authority.issue("site_b"), **settings)
    server.start()
    try:
        yield server
    finally:
        server.stop(0)


@pytest.fixture(params=["gRPC", "in memory"])
def pusher(request, authority, service):
    """A transport of ``site_a`` that reaches ``site_b``."""
    if request.param == "in memory":
        network = InMemoryNetwork()
        network.register("site_b", service)
        yield InMemoryTransport(network, "site_a")
        return
    with serving(authority, service) as server:
        transport = GrpcTransport({"site_b": f"127.0.0.1:{server.port}"}, **authority.issue("site_a"), own="site_a")
        yield transport
        transport.close()


def announced(content, **changes):
    facts = dict(site="site_a", membership=MEMBERSHIP, state=SiteState.TRAINING, round=3, epoch=1, sequence=4, snapshot_round=3)
    digest = hashlib.sha256(content).hexdigest()
    return Description(**{**facts, "sha256": digest, "size_bytes": len(content), **changes})


def push(pusher, tmp_path, content, description=None, greeting=None):
    path, counted = tmp_path / "offered", []
    path.write_bytes(content)
    description = description or announced(content)
    sent_bytes = pusher.push(
        "site_b",
        greeting or greeting_of("site_a"),
        description,
        path,
        timeout_s=PATIENCE_S,
        count_sent=counted.append,
    )
    assert sum(counted) == sent_bytes
    return sent_bytes


def test_what_is_brought_is_there_as_announced_and_only_the_newest_is_kept(pusher, service, tmp_path, content):
    assert push(pusher, tmp_path, content) == SIZE_BYTES
    found = service.snapshots.newest("site_a")
    assert found.path.read_bytes() == content
    assert (found.epoch, found.sequence, found.round, found.size_bytes) == (1, 4, 3, SIZE_BYTES)
    newer = os.urandom(1000)
    push(pusher, tmp_path, newer, announced(newer, sequence=5, snapshot_round=4))
    assert service.snapshots.newest("site_a").path.read_bytes() == newer
    assert len(service.files()) == 1
    assert service.snapshots.take_received_bytes("site_a") == SIZE_BYTES + 1000


def test_the_same_again_costs_nothing(pusher, service, tmp_path, content):
    push(pusher, tmp_path, content)
    assert push(pusher, tmp_path, content) == 0


def test_a_push_goes_on_where_an_earlier_one_ended(pusher, service, tmp_path, content):
    description, kept_bytes = announced(content), 123_456
    (service.folder / "site_a" / f"arriving.{description.sha256[:16]}.partial").write_bytes(content[:kept_bytes])
    assert push(pusher, tmp_path, content, description) == SIZE_BYTES - kept_bytes
    assert service.snapshots.newest("site_a").path.read_bytes() == content


def test_a_damaged_beginning_is_brought_again(pusher, service, tmp_path, content):
    description = announced(content)
    (service.folder / "site_a" / f"arriving.{description.sha256[:16]}.partial").write_bytes(bytes(1000))
    with pytest.raises(PeerRefused, match="bring the whole") as refused:
        push(pusher, tmp_path, content, description)
    assert refused.value.reason == "damaged"
    assert push(pusher, tmp_path, content, description) == SIZE_BYTES


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"size_bytes": SIZE_BYTES - 1}, "size"),  # brings too much
        ({"size_bytes": SIZE_BYTES + 1}, "size"),  # brings too little
        ({"size_bytes": 2**39}, "size"),  # announces what would fill the disk
        ({"sha256": "0" * 64}, "digest"),
        ({"sequence": 2}, "replay"),  # older than the one that was brought
        ({"sequence": 3}, "replay"),  # the numbers of that one, other bytes
        ({"epoch": 0}, "range"),
        ({"site": "site_c"}, "name"),
        ({"membership": replace(MEMBERSHIP, federation_id="another")}, "federation"),
        ({"sequence": 0, "sha256": "", "size_bytes": 0}, "absent"),
    ],
)
def test_what_is_not_as_announced_is_refused_and_nothing_of_it_is_used(pusher, service, tmp_path, content, changes, reason):
    before = b"the one that was brought before"
    push(pusher, tmp_path, before, announced(before, sequence=3))
    with pytest.raises(PeerRefused) as refused:
        push(pusher, tmp_path, content, announced(content, **changes))
    assert refused.value.reason == reason
    assert service.snapshots.newest("site_a").path.read_bytes() == before
    assert sum((service.folder / "site_a" / name).stat().st_size for name in service.files()) <= len(before) + SIZE_BYTES


def test_what_was_used_before_is_not_taken_again(pusher, service, tmp_path, content):
    service.ledger.note("site_a", 2, 1, "b" * 64, 0)
    with pytest.raises(PeerRefused, match=r"brings epoch and sequence \(1, 4\), \(2, 1\) was seen") as refused:
        push(pusher, tmp_path, content)
    assert refused.value.reason == "replay"
    assert not service.files()


def test_a_site_of_another_federation_is_turned_away_before_a_byte(pusher, service, tmp_path, content):
    other = replace(MEMBERSHIP, run_id="another")
    with pytest.raises(PeerRefused) as refused:
        push(pusher, tmp_path, content, greeting=replace(greeting_of("site_a"), membership=other))
    assert refused.value.reason == "run"
    assert not service.files()


@pytest.mark.parametrize(("caller", "reason"), [("site_c", "reachability"), ("site_d", "roster")])
def test_only_who_is_outbound_in_the_plan_may_bring(authority, service, content, caller, reason):
    part = messages.announcement_part(greeting_of(caller), announced(content, site=caller))
    with serving(authority, service) as server, plain_stub(server.port, authority.issue(caller)) as stub:
        with pytest.raises(grpc.RpcError) as refused:
            next(stub.Push(iter([part, messages.data_part(content[:9])]), timeout=PATIENCE_S))
        assert dict(refused.value.trailing_metadata())["refusal-reason"] == reason
        assert server.refusals == {reason: 1}


def test_reception_itself_asks_the_same_for_transports_without_a_server(service, content):
    with pytest.raises(PeerRefused) as refused:
        service.receive("site_c", greeting_of("site_c"), announced(content, site="site_c"))
    assert refused.value.reason == "reachability"


def test_a_push_without_an_announcement_or_with_two_is_refused(authority, service, content):
    first = messages.announcement_part(greeting_of("site_a"), announced(content))
    with serving(authority, service) as server, plain_stub(server.port, authority.issue("site_a")) as stub:
        for parts in ([messages.data_part(content[:9])], [], [first, first]):
            with pytest.raises(grpc.RpcError) as refused:
                list(stub.Push(iter(parts), timeout=PATIENCE_S))
            assert dict(refused.value.trailing_metadata())["refusal-reason"] == "message"


@pytest.mark.parametrize("begins", [False, True])
def test_who_stops_or_says_nothing_is_cut_off_and_others_are_served(authority, service, content, begins):
    """A caller that keeps the line open without a byte, before or after its announcement."""

    def parts():
        if begins:
            yield messages.announcement_part(greeting_of("site_a"), announced(content))
            yield messages.data_part(content[:10_000])
        time.sleep(6)

    with serving(authority, service, stall_s=0.3) as server, plain_stub(server.port, authority.issue("site_a")) as stub:
        began = time.monotonic()
        with pytest.raises(grpc.RpcError):
            list(stub.Push(parts(), timeout=PATIENCE_S))
        assert time.monotonic() - began < 4
        if begins:
            with service.receive("site_a", greeting_of("site_a"), announced(content)) as arrival:
                assert arrival.offset == 10_000, "what came is kept for the next try"


def test_a_slow_drip_has_an_end(authority, service, content):
    def parts():
        yield messages.announcement_part(greeting_of("site_a"), announced(content))
        for start in range(100):
            yield messages.data_part(content[start : start + 1])
            time.sleep(0.05)

    with serving(authority, service, pull_limit_s=0.5) as server, plain_stub(server.port, authority.issue("site_a")) as stub:
        began = time.monotonic()
        with pytest.raises(grpc.RpcError):
            list(stub.Push(parts(), timeout=PATIENCE_S))
        assert time.monotonic() - began < 4
    assert not service.snapshots.newest("site_a")


def test_a_peer_that_is_not_there_is_found_out_in_time(authority, tmp_path, content):
    transport = GrpcTransport({"site_b": "127.0.0.1:9"}, **authority.issue("site_a"), own="site_a")
    with pytest.raises(PeerUnreachable):
        push(transport, tmp_path, content)
    transport.close()


def test_what_came_before_a_restart_is_still_there(service, tmp_path, content):
    network = InMemoryNetwork()
    network.register("site_b", service)
    push(InMemoryTransport(network, "site_a"), tmp_path, content)
    again = BroughtSnapshots(service.folder, ["site_a"], keep=1)
    assert again.newest("site_a") == service.snapshots.newest("site_a")
    assert again.of_round("site_a", 3) == again.by_digest("site_a", announced(content).sha256) == again.newest("site_a")
    assert again.of_round("site_a", 2) is None
