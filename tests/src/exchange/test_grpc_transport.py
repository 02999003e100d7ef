"""Calling a peer: a real server in the same process, real certificates, real sockets."""

import hashlib
import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import grpc
import psutil
import pytest

from src.exchange import messages, messages_pb2, messages_pb2_grpc
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.server import ExchangeServer
from src.exchange.transport import PeerRefused, PeerUnreachable
from tests.src.exchange.tls import ROSTER, Endless, ExchangeAuthority, OneSnapshot, greeting_of, plain_stub
from tests.src.small_server import free_port

PATIENCE_S = 20.0  # far above what a healthy call takes
SNAPSHOT_BYTES = 3_000_001


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return ExchangeAuthority(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture
def service(tmp_path):
    snapshot = tmp_path / "offered.snapshot"
    snapshot.write_bytes(os.urandom(SNAPSHOT_BYTES))
    return OneSnapshot("site_b", snapshot)


@contextmanager
def serving(service, credentials, *, port=0, **changes):
    settings = {"bind_address": f"127.0.0.1:{port}", "roster": ROSTER, "max_pulls": 2, **credentials, **changes}
    server = ExchangeServer(service, **settings)
    server.start()
    try:
        yield server
    finally:
        server.stop(0)


@contextmanager
def calling(authority, port, own="site_a", peer="site_b", **changes):
    transport = GrpcTransport({peer: f"127.0.0.1:{port}"}, **{**authority.issue(own), **changes}, own=own)
    try:
        yield transport
    finally:
        transport.close()


@contextmanager
def calling_at(authority, addresses):
    transport = GrpcTransport(addresses, **authority.issue("site_a"), own="site_a")
    try:
        yield transport
    finally:
        transport.close()


@pytest.fixture
def server(authority, service):
    with serving(service, authority.issue("site_b")) as server:
        yield server


@pytest.fixture
def transport(authority, server):
    with calling(authority, server.port) as transport:
        yield transport


def describe(transport, **changes):
    wanted = {"wanted_round": None, "timeout_s": PATIENCE_S, **changes}
    return transport.describe("site_b", greeting_of("site_a"), **wanted)


def pull(transport, description, target, timeout_s=PATIENCE_S):
    return transport.pull("site_b", greeting_of("site_a"), description, target, timeout_s=timeout_s)


def partials(target):
    return list(target.parent.glob(f"{target.name}.*.partial"))


def test_a_description_arrives_as_the_site_gave_it(transport, service):
    described = describe(transport, wanted_round=5)
    assert service.greeted == [("site_a", greeting_of("site_a"), 5)]
    assert described == service.greet("site_a", greeting_of("site_a"), wanted_round=5)


def test_a_pulled_snapshot_is_the_offered_one_and_both_ends_count_its_bytes(transport, service, tmp_path):
    target = tmp_path / "pulled"
    fetched_bytes = pull(transport, describe(transport), target)
    assert target.read_bytes() == service.snapshot.read_bytes()
    assert fetched_bytes == service.sent_bytes["site_a"] == SNAPSHOT_BYTES
    assert not partials(target)


def test_a_pull_goes_on_where_an_earlier_one_ended(transport, service, tmp_path):
    target, described, kept_bytes = tmp_path / "pulled", describe(transport), 1_234_567
    content = service.snapshot.read_bytes()
    (tmp_path / f"pulled.{described.sha256[:16]}.partial").write_bytes(content[:kept_bytes])
    (tmp_path / "pulled.0123456789abcdef.partial").write_bytes(b"of an older snapshot")
    assert pull(transport, described, target) == SNAPSHOT_BYTES - kept_bytes
    assert target.read_bytes() == content
    assert not partials(target)


@pytest.mark.parametrize("kept_bytes", [1_000, SNAPSHOT_BYTES, SNAPSHOT_BYTES + 1])
def test_a_kept_part_that_is_spoilt_is_fetched_again_and_not_held_against_the_peer(transport, service, tmp_path, kept_bytes):
    target, described = tmp_path / "pulled", describe(transport)
    (tmp_path / f"pulled.{described.sha256[:16]}.partial").write_bytes(b"\0" * kept_bytes)
    pull(transport, described, target)
    assert target.read_bytes() == service.snapshot.read_bytes()


def test_a_whole_kept_part_is_put_in_place_without_a_call(transport, service, tmp_path):
    target, described = tmp_path / "pulled", describe(transport)
    (tmp_path / f"pulled.{described.sha256[:16]}.partial").write_bytes(service.snapshot.read_bytes())
    assert pull(transport, described, target) == 0
    assert target.read_bytes() == service.snapshot.read_bytes()


class Swapped(OneSnapshot):
    """Describes one file and sends another."""

    def __init__(self, honest, sent):
        super().__init__(honest.site, honest.snapshot)
        self._sent = sent

    def open_snapshot(self, caller, greeting, sha256):
        return self._sent


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "digest"),
        (lambda content: content + b"more", "size"),
        (lambda content: content[:-1], "size"),
        (lambda content: b"", "size"),
    ],
)
def test_other_bytes_than_described_are_refused_and_nothing_is_put_in_place(authority, service, tmp_path, change, reason):
    sent, target = tmp_path / "sent", tmp_path / "pulled"
    sent.write_bytes(change(service.snapshot.read_bytes()))
    with (
        serving(Swapped(service, sent), authority.issue("site_b")) as server,
        calling(authority, server.port) as transport,
        pytest.raises(PeerRefused) as refused,
    ):
        pull(transport, describe(transport), target)
    assert refused.value.reason == reason
    assert not target.exists()
    if reason == "digest":
        assert not partials(target)


class Rogue(messages_pb2_grpc.ExchangeServicer):
    """A certified peer that answers as it likes."""

    def __init__(self, description=None, pieces=()):
        self._description, self._pieces = description, pieces

    def Describe(self, request, context):
        return self._description

    def Pull(self, request, context):
        yield from self._pieces


@contextmanager
def rogue(servicer, authority, **settings):
    files = {name: path.read_bytes() for name, path in authority.issue("site_b").items()}
    pair = [(files["private_key"], files["certificate"])]
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads, **settings)
        messages_pb2_grpc.add_ExchangeServicer_to_server(servicer, server)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair, files["root_certificate"], True))
        server.start()
        try:
            with calling(authority, port) as transport:
                yield transport
        finally:
            server.stop(0).wait()


def description_of(service, **changes):
    return replace(service.greet("site_a", greeting_of("site_a"), wanted_round=None), **changes)


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_packed_message_is_refused_before_it_is_unpacked(authority, service, tmp_path, compression):
    """A message's size is limited as it travels: a thousand times as much could come out of it."""
    pieces = [messages_pb2.Piece(data=bytes(100_000))] * 30
    described = description_of(service, size_bytes=3_000_000)
    with (
        rogue(Rogue(pieces=pieces), authority, compression=compression) as transport,
        pytest.raises(PeerRefused, match="does not speak this protocol"),
    ):
        pull(transport, described, tmp_path / "pulled", timeout_s=2)
    assert sum(partial.stat().st_size for partial in partials(tmp_path / "pulled")) == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"site": "site_c"}, "name"),
        ({"site": "site_b\n"}, "message"),
        ({"size_bytes": 0}, "message"),
        ({"train_cases": {f"structure {number}": 1 for number in range(20_000)}}, "message"),
    ],
)
def test_a_description_that_cannot_be_is_refused(authority, service, changes, reason):
    message = messages.description_message(description_of(service, **changes))
    with rogue(Rogue(message), authority) as transport, pytest.raises(PeerRefused) as refused:
        describe(transport)
    assert refused.value.reason == reason


def test_a_piece_larger_than_agreed_is_refused(authority, service, tmp_path):
    pieces = [messages_pb2.Piece(data=bytes(2_000_000))]
    with rogue(Rogue(pieces=pieces), authority) as transport, pytest.raises(PeerRefused, match="larger") as refused:
        pull(transport, description_of(service), tmp_path / "pulled")
    assert refused.value.reason == "message"


def test_a_stream_without_end_ends_at_the_described_size(authority, service, tmp_path):
    pieces = itertools.repeat(messages_pb2.Piece(data=bytes(200_000)))
    with rogue(Rogue(pieces=pieces), authority) as transport, pytest.raises(PeerRefused, match="found more"):
        pull(transport, description_of(service), tmp_path / "pulled")
    assert not partials(tmp_path / "pulled")


def test_another_program_that_speaks_grpc_is_refused(authority):
    with rogue(messages_pb2_grpc.ExchangeServicer(), authority) as transport, pytest.raises(PeerRefused, match="protocol"):
        describe(transport)


def test_a_peer_without_an_address_is_unreachable_and_the_message_says_why(authority):
    with calling_at(authority, {"site_b": None}) as transport, pytest.raises(PeerUnreachable, match=r"no address in plan"):
        describe(transport)


@pytest.mark.parametrize("address", ["127.0.0.1:{free}", "no-such-host.invalid:50061"])
def test_nobody_there_is_found_out_at_once(authority, address):
    with calling_at(authority, {"site_b": address.format(free=free_port())}) as transport:
        start = time.monotonic()
        with pytest.raises(PeerUnreachable, match="does not answer"):
            describe(transport)
        assert time.monotonic() - start < 5


def test_a_peer_that_restarted_is_called_again_without_a_failure(authority, service):
    port, credentials = free_port(), authority.issue("site_b")
    with calling(authority, port) as transport:
        with serving(service, credentials, port=port):
            before = describe(transport)
        with serving(service, credentials, port=port):
            assert describe(transport) == before


def test_a_renewed_certificate_is_taken_without_a_failure(authority, service):
    port = free_port()
    with calling(authority, port) as transport:
        with serving(service, authority.issue("site_b"), port=port):
            before = describe(transport)
        with serving(service, authority.issue("site_b"), port=port):
            assert describe(transport) == before


def test_a_busy_peer_is_waited_for(authority, tmp_path):
    endless = Endless("site_b", tmp_path / "endless")
    with (
        serving(endless, authority.issue("site_b"), max_pulls=1, stall_s=1.0) as server,
        calling(authority, server.port) as transport,
        plain_stub(server.port, authority.issue("site_c")) as stub,
    ):
        described = describe(transport)
        stalled = stub.Pull(messages.pull_request(greeting_of("site_c"), described.sha256, 0), timeout=PATIENCE_S)
        next(stalled)
        with pytest.raises(PeerUnreachable, match="busy"):
            pull(transport, described, tmp_path / "pulled", timeout_s=0.3)
        assert pull(transport, described, tmp_path / "pulled") == endless.size_bytes


def test_a_hundred_pulls_leave_nothing_behind(transport, service, tmp_path):
    service.snapshot.write_bytes(os.urandom(500_000))
    process = psutil.Process()

    def measure():
        return process.num_threads(), process.num_fds(), process.memory_info().rss

    for _ in range(10):
        pull(transport, describe(transport), tmp_path / "pulled")
    threads, fds, rss_bytes = measure()
    for _ in range(100):
        pull(transport, describe(transport), tmp_path / "pulled")
    threads_after, fds_after, rss_bytes_after = measure()
    assert threads_after <= threads + 1
    assert fds_after <= fds
    assert rss_bytes_after - rss_bytes < 20e6
    assert hashlib.sha256((tmp_path / "pulled").read_bytes()).hexdigest() == describe(transport).sha256
