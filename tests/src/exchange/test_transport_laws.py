"""What holds for any transport, over all there are: in memory, by gRPC, brought, through a folder, and mixed of these."""

import os
from contextlib import ExitStack
from dataclasses import replace

import pytest
import torch

from src.exchange.brought import BroughtSnapshots, BroughtTransport
from src.exchange.folder.publication import FolderPublication
from src.exchange.folder.transport import FolderTransport
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.in_memory import InMemoryNetwork, InMemoryTransport
from src.exchange.ledger import Ledger
from src.exchange.mixed_transport import MixedTransport
from src.exchange.reception import Reception
from src.exchange.server import ExchangeServer
from src.exchange.tensor_layout import TensorLayout
from src.exchange.transport import PeerRefused, PeerUnreachable
from tests.src.exchange.folder.folder_sites import RsaAuthority
from tests.src.exchange.tls import MEMBERSHIP, ROSTER, OneSnapshot, greeting_of

SNAPSHOT_BYTES = 2_500_001
# Entries of a description by which a snapshot is chosen and fetched; the others are for people.
DECISIVE = ("site", "membership", "state", "round", "epoch", "sequence", "snapshot_round", "sha256", "size_bytes")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return RsaAuthority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def service(tmp_path):
    (tmp_path / "offered").write_bytes(os.urandom(SNAPSHOT_BYTES))
    return OneSnapshot("site_b", tmp_path / "offered")


def in_memory(service, authority, tmp_path, stack):
    network = InMemoryNetwork()
    network.register("site_b", service)
    return InMemoryTransport(network, "site_a")


def over_grpc(service, authority, tmp_path, stack):
    server = ExchangeServer(service, bind_address="127.0.0.1:0", roster=ROSTER, max_pulls=2, **authority.issue("site_b"))
    server.start()
    stack.callback(server.stop, 0)
    address = {"site_b": f"127.0.0.1:{server.port}", "site_c": None}
    return GrpcTransport(address, own="site_a", **authority.issue("site_a"))


def through_a_folder(service, authority, tmp_path, stack):
    (shared := tmp_path / "shared").mkdir()

    def publication(site, of, reader):
        settings = dict(folder=shared, keys=authority.keys(site), peers=[reader], membership=MEMBERSHIP, epoch=1)
        return FolderPublication(of, lambda: (), **settings, state_path=tmp_path / f"{site}.json")

    own, peer = (
        publication("site_a", OneSnapshot("site_a", service.snapshot), "site_b"),
        publication("site_b", service, "site_a"),
    )
    own.renew()
    peer.renew()
    transport = FolderTransport(shared, authority.keys("site_a"))
    transport.announce = peer.renew
    return transport


class Receiving(OneSnapshot):
    """site_a, which lets site_b bring what it has."""

    def __init__(self, folder):
        super().__init__("site_a", folder / "offered")
        self.snapshots = BroughtSnapshots(folder / "brought", ["site_b"], keep=1)
        who = dict(membership=MEMBERSHIP, roster=ROSTER, may_bring=["site_b"], ledger=Ledger(folder / "ledger.json"))
        layout = TensorLayout.of({"weights": torch.zeros(SNAPSHOT_BYTES // 4)})
        self.receive = Reception(**who, layout=layout, snapshots=self.snapshots).receive


class Bringing(BroughtTransport):
    """What site_a has of site_b, which nobody can call: before each question to it, site_b brings its newest."""

    def __init__(self, receiving, pusher, service):
        super().__init__(receiving.snapshots, MEMBERSHIP, dict)
        self._pusher, self._service, self._sequence, self._digests = pusher, service, 7, []

    def describe(self, peer, greeting, *, wanted_round, timeout_s):
        if peer == "site_b":
            self._bring(greeting, timeout_s)
        return super().describe(peer, greeting, wanted_round=wanted_round, timeout_s=timeout_s)

    def _bring(self, greeting, timeout_s):
        """In the name, and from the run, that the question is asked in: it is the one who brings that is let in."""
        told = self._service.greet("site_a", greeting_of("site_a"), wanted_round=None)
        if told.sha256 not in self._digests:
            self._digests.append(told.sha256)
        told = replace(told, sequence=self._sequence + len(self._digests), membership=greeting.membership)
        bringer = "site_b" if greeting.site == "site_a" else greeting.site
        count = lambda num_bytes: self._service.count_sent("site_a", num_bytes)  # noqa: E731
        greeting = replace(greeting, site=bringer)
        self._pusher.push("site_a", greeting, told, self._service.snapshot, timeout_s=timeout_s, count_sent=count)


def brought_in_memory(service, authority, tmp_path, stack):
    network, receiving = InMemoryNetwork(), Receiving(tmp_path)
    network.register("site_a", receiving)
    return Bringing(receiving, InMemoryTransport(network, "site_b"), service)


def brought_over_grpc(service, authority, tmp_path, stack):
    receiving = Receiving(tmp_path)
    settings = dict(bind_address="127.0.0.1:0", roster=ROSTER, max_pulls=2, may_push=["site_b"])
    server = ExchangeServer(receiving, **settings, **authority.issue("site_a"))
    server.start()
    stack.callback(server.stop, 0)
    pusher = GrpcTransport({"site_a": f"127.0.0.1:{server.port}"}, own="site_b", **authority.issue("site_b"))
    stack.callback(pusher.close)
    return Bringing(receiving, pusher, service)


def mixed(service, authority, tmp_path, stack):
    return MixedTransport({"site_b": through_a_folder(service, authority, tmp_path, stack)})


def mixed_with_brought(service, authority, tmp_path, stack):
    return MixedTransport({"site_b": brought_over_grpc(service, authority, tmp_path, stack)})


FETCHED = [in_memory, over_grpc, through_a_folder, mixed]
BROUGHT = [brought_in_memory, brought_over_grpc, mixed_with_brought]


@pytest.fixture(params=[*FETCHED, *BROUGHT], ids=lambda opened: opened.__name__)
def transport(request, service, authority, tmp_path):
    with ExitStack() as stack:
        transport = request.param(service, authority, tmp_path, stack)
        stack.callback(transport.close)
        yield transport


# A broken push is taken up where it arrives, see ``test_push``: what was brought lies here, and is copied whole.
fetching = pytest.mark.parametrize("transport", FETCHED, indirect=True, ids=lambda opened: opened.__name__)


def describe(transport, greeting=None, peer="site_b", wanted_round=None):
    return transport.describe(peer, greeting or greeting_of("site_a"), wanted_round=wanted_round, timeout_s=20)


def pull(transport, description, target):
    return transport.pull("site_b", greeting_of("site_a"), description, target, timeout_s=20)


def test_what_is_described_is_what_arrives(transport, service, tmp_path):
    described = describe(transport)
    told = service.greet("site_a", greeting_of("site_a"), wanted_round=None)
    assert {name: getattr(described, name) for name in DECISIVE} == {name: getattr(told, name) for name in DECISIVE}
    assert pull(transport, described, tmp_path / "pulled") == SNAPSHOT_BYTES
    assert (tmp_path / "pulled").read_bytes() == service.snapshot.read_bytes()
    assert sum(service.sent_bytes.values()) >= SNAPSHOT_BYTES
    assert not list(tmp_path.glob("pulled.*"))


@fetching
def test_what_came_of_an_earlier_pull_is_taken_up(transport, service, tmp_path):
    described, kept_bytes = describe(transport), 2**20
    (tmp_path / f"pulled.{described.sha256[:16]}.partial").write_bytes(service.snapshot.read_bytes()[:kept_bytes])
    (tmp_path / "pulled.0123456789abcdef.partial").write_bytes(b"of an older snapshot")
    assert pull(transport, described, tmp_path / "pulled") == SNAPSHOT_BYTES - kept_bytes
    assert (tmp_path / "pulled").read_bytes() == service.snapshot.read_bytes()
    assert not list(tmp_path.glob("pulled.*"))


def test_the_newest_snapshot_takes_the_place_of_the_one_before(transport, service, tmp_path):
    before = describe(transport)
    service.snapshot.write_bytes(b"a newer model")
    described = describe(transport)
    assert (described.size_bytes, described.sha256 != before.sha256) == (13, True)
    pull(transport, described, tmp_path / "pulled")
    assert (tmp_path / "pulled").read_bytes() == b"a newer model"
    with pytest.raises((PeerRefused, PeerUnreachable)):
        pull(transport, before, tmp_path / "old")
    assert not (tmp_path / "old").exists()


def test_a_caller_of_another_run_and_one_in_anothers_name_are_turned_away(transport):
    other_run = replace(greeting_of("site_a"), membership=replace(MEMBERSHIP, run_id="another"))
    for greeting, reason in [(other_run, "run"), (greeting_of("site_c"), "name")]:
        with pytest.raises(PeerRefused) as refused:
            describe(transport, greeting)
        assert refused.value.reason == reason


@pytest.mark.parametrize("changes", [{"size_bytes": SNAPSHOT_BYTES - 1}, {"size_bytes": SNAPSHOT_BYTES + 1}, {"sequence": 0}])
def test_a_description_that_does_not_fit_brings_nothing(transport, tmp_path, changes):
    with pytest.raises(PeerRefused) as refused:
        pull(transport, replace(describe(transport), **changes), tmp_path / "pulled")
    assert refused.value.reason == ("absent" if "sequence" in changes else "size")
    assert not (tmp_path / "pulled").exists()


def test_who_is_not_there_is_unreachable(transport):
    with pytest.raises(PeerUnreachable, match="site_c"):
        describe(transport, peer="site_c")
