"""Who is served and who is turned away; callers are plain gRPC, so that the server is not spared by our own caller's care."""

import hashlib
import os
import time
from contextlib import ExitStack
from dataclasses import replace

import grpc
import psutil
import pytest

from src.errors import FederationError
from src.exchange import messages, messages_pb2
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.server import ExchangeServer
from src.exchange.transport import PeerRefused, PeerUnreachable
from tests.src.exchange.tls import MEMBERSHIP, ROSTER, Endless, ExchangeAuthority, OneSnapshot, greeting_of, plain_stub

PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return ExchangeAuthority(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    return ExchangeAuthority(tmp_path_factory.mktemp("pki") / "theirs")


@pytest.fixture
def service(tmp_path):
    snapshot = tmp_path / "offered"
    snapshot.write_bytes(os.urandom(700_001))
    return OneSnapshot("site_b", snapshot)


@pytest.fixture
def start(authority, service):
    with ExitStack() as stack:

        def start(**changes):
            settings = {"bind_address": "127.0.0.1:0", "roster": ROSTER, "max_pulls": 2, **authority.issue("site_b")}
            server = ExchangeServer(changes.pop("service", service), **{**settings, **changes})
            server.start()
            stack.callback(server.stop, 0)
            return server

        yield start


def describe(port, credentials, greeting=None):
    request = messages.describe_request(greeting or greeting_of("site_a"), None)
    with plain_stub(port, credentials) as stub:
        return stub.Describe(request, timeout=PATIENCE_S)


def refusal_of(call):
    """The code, reason and message a plain caller gets."""
    start = time.monotonic()
    with pytest.raises(grpc.RpcError) as refused:
        call()
    assert time.monotonic() - start < 5
    metadata = dict(refused.value.trailing_metadata() or ())
    return refused.value.code(), metadata.get("refusal-reason"), refused.value.details()


def until(condition, seconds=8.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_a_site_of_the_roster_is_answered_and_nothing_is_counted(start, authority, service):
    server = start()
    answer = messages.read_description(describe(server.port, authority.issue("site_a")))
    assert answer.sha256 == hashlib.sha256(service.snapshot.read_bytes()).hexdigest()
    assert not server.refusals


@pytest.mark.parametrize("kind", ["no certificate", "other authority", "expired"])
def test_who_shows_no_certificate_we_trust_gets_no_answer_and_is_counted(start, authority, foreign, service, kind):
    server = start()
    good = authority.issue("site_a")
    credentials = {
        "no certificate": {"root_certificate": authority.chain},
        "other authority": {**foreign.issue("site_a"), "root_certificate": authority.chain},
        "expired": authority.issue("site_a", expired=True, file="expired"),
    }[kind]
    code, _, _ = refusal_of(lambda: describe(server.port, credentials))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert not service.greeted
    describe(server.port, good)
    assert until(lambda: server.refusals["unidentified"] >= 1)
    assert set(server.refusals) == {"unidentified"}


def test_a_caller_that_looks_at_our_certificate_first_is_not_counted_as_unidentified(start, authority):
    server = start()
    transport = GrpcTransport({"site_b": f"127.0.0.1:{server.port}"}, **authority.issue("site_a"), own="site_a")
    transport.describe("site_b", greeting_of("site_a"), wanted_round=None, timeout_s=PATIENCE_S)
    transport.close()
    time.sleep(3.5)  # longer than a connection has to come to a call
    assert not server.refusals


@pytest.mark.parametrize(
    ("names", "greeted_as", "reason", "message"),
    [
        (("stranger", None), "stranger", "roster", "stranger is not in the roster"),
        (("site_a", None), "site_c", "name", "expected a greeting of site_a"),
        (("site_a", ["site_c"]), "site_a", "certificate", "expected one name"),
        (("site_c", ["site_a"]), "site_c", "certificate", "expected one name"),
        (("site_a", ["site_a", "site_c"]), "site_a", "certificate", "expected one name"),
        (("site_a", []), "site_a", "certificate", "expected one name"),
    ],
    ids=["not in the roster", "claims another's name", "SAN of another", "CN of another", "two names", "no SAN"],
)
def test_a_certified_caller_that_is_not_who_it_should_be_is_refused_and_counted(
    start, authority, service, names, greeted_as, reason, message
):
    server = start()
    credentials = authority.issue(names[0], alternative=names[1], file="-".join([names[0], *(names[1] or [])]) + "-caller")
    code, found, details = refusal_of(lambda: describe(server.port, credentials, greeting_of(greeted_as)))
    assert (code, found) == (grpc.StatusCode.PERMISSION_DENIED, reason)
    assert message in details

    def pull():
        with plain_stub(server.port, credentials) as stub:
            return list(stub.Pull(messages.pull_request(greeting_of(greeted_as), "0" * 64, 0), timeout=PATIENCE_S))

    assert refusal_of(pull)[:2] == (code, found)
    assert server.refusals == {reason: 2}
    assert not service.greeted and not service.sent_bytes


@pytest.mark.parametrize("entry", ["federation_id", "architecture_hash"])
def test_what_the_site_itself_refuses_reaches_the_caller_in_its_words(start, authority, entry, tmp_path):
    server = start()
    other = replace(greeting_of("site_a"), membership=replace(MEMBERSHIP, **{entry: "another"}))
    transport = GrpcTransport({"site_b": f"127.0.0.1:{server.port}"}, **authority.issue("site_a"), own="site_a")
    with pytest.raises(PeerRefused) as refused:
        transport.describe("site_b", other, wanted_round=None, timeout_s=PATIENCE_S)
    assert refused.value.reason == entry.split("_")[0]
    assert str(refused.value) == f"{entry} is another, expected {getattr(MEMBERSHIP, entry)}"
    described = transport.describe("site_b", greeting_of("site_a"), wanted_round=None, timeout_s=PATIENCE_S)
    with pytest.raises(PeerRefused) as refused:
        unknown = replace(described, sha256="0" * 64)
        transport.pull("site_b", greeting_of("site_a"), unknown, tmp_path / "pulled", timeout_s=PATIENCE_S)
    assert refused.value.reason == "absent"
    assert server.refusals == {entry.split("_")[0]: 1, "absent": 1}
    transport.close()


class Failing(OneSnapshot):
    """Fails in a way nobody planned."""

    def greet(self, caller, greeting, *, wanted_round):
        raise FileNotFoundError(f"{self.snapshot} is gone")


class Rude(OneSnapshot):
    """Refuses with a text that is not fit for a log."""

    def greet(self, caller, greeting, *, wanted_round):
        raise PeerRefused("Ünfit\n", "first line\nsecond\x1b[31m line" + "." * 10_000)


def test_a_failure_of_the_site_is_not_told_to_the_caller(start, authority, service, caplog):
    server = start(service=Failing("site_b", service.snapshot))
    code, _, details = refusal_of(lambda: describe(server.port, authority.issue("site_a")))
    assert code is grpc.StatusCode.INTERNAL
    assert "gone" not in details and str(service.snapshot) not in details
    assert "is gone" in caplog.text  # but its own log has it


def test_a_refusal_travels_as_one_printable_line_of_bounded_length(start, authority, service):
    server = start(service=Rude("site_b", service.snapshot))
    _, reason, details = refusal_of(lambda: describe(server.port, authority.issue("site_a")))
    assert reason == "refused"
    assert details.isprintable() and len(details) <= 500 and details.startswith("first line second")


@pytest.mark.parametrize(
    "change",
    [
        lambda request: request.greeting.ClearField("membership"),
        lambda request: setattr(request.greeting, "state", 0),
        lambda request: setattr(request.greeting, "state", 99),
        lambda request: setattr(request.greeting.membership, "run_id", "x" * 201),
        lambda request: setattr(request, "wanted_round", 2**32 - 1),
    ],
)
def test_a_malformed_request_is_refused_before_the_site_hears_of_it(start, authority, service, change):
    server = start()
    request = messages.describe_request(greeting_of("site_a"), 3)
    change(request)
    with plain_stub(server.port, authority.issue("site_a")) as stub:
        _, reason, _ = refusal_of(lambda: stub.Describe(request, timeout=PATIENCE_S))
    assert reason == "message" and server.refusals == {"message": 1}
    assert not service.greeted


def test_a_request_larger_than_any_of_the_protocol_is_not_read(start, authority, service):
    server = start()
    request = messages_pb2.DescribeRequest(greeting=messages_pb2.Greeting(site="x" * 1_000_000))
    with plain_stub(server.port, authority.issue("site_a")) as stub:
        code, _, _ = refusal_of(lambda: stub.Describe(request, timeout=PATIENCE_S))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not service.greeted


@pytest.mark.parametrize("offset", [0, 1, 262_144, 700_000, 700_001])
def test_a_snapshot_is_sent_from_any_offset_and_every_byte_is_counted(start, authority, service, offset):
    server, content = start(), service.snapshot.read_bytes()
    request = messages.pull_request(greeting_of("site_a"), hashlib.sha256(content).hexdigest(), offset)
    with plain_stub(server.port, authority.issue("site_a")) as stub:
        received = b"".join(piece.data for piece in stub.Pull(request, timeout=PATIENCE_S))
    assert received == content[offset:]
    assert service.sent_bytes["site_a"] == len(received)


def test_an_offset_behind_the_end_is_refused(start, authority, service):
    server = start()
    sha256 = hashlib.sha256(service.snapshot.read_bytes()).hexdigest()
    with plain_stub(server.port, authority.issue("site_a")) as stub:
        request = messages.pull_request(greeting_of("site_a"), sha256, 700_002)
        _, reason, _ = refusal_of(lambda: list(stub.Pull(request, timeout=PATIENCE_S)))
    assert reason == "message"


@pytest.fixture
def endless(tmp_path):
    return Endless("site_b", tmp_path / "endless")


def pull_from(stub, site="site_a"):
    """Begins a pull, and takes one piece of it; the server's thread is then held by flow control."""
    call = stub.Pull(messages.pull_request(greeting_of(site), "0" * 64, 0), timeout=60)
    next(call)
    return call


def test_a_new_pull_of_a_caller_ends_its_older_one(start, authority, endless):
    server, credentials = start(service=endless, max_pulls=1), authority.issue("site_a")
    with plain_stub(server.port, credentials) as stub, plain_stub(server.port, credentials) as again:
        older = pull_from(stub)
        newer = pull_from(again)
        with pytest.raises(grpc.RpcError) as ended:
            list(older)
        assert ended.value.code() is grpc.StatusCode.CANCELLED
        assert sum(len(piece.data) for piece in newer) > endless.size_bytes / 2


@pytest.mark.parametrize("limit", ["stall_s", "pull_limit_s"])
def test_a_caller_that_takes_nothing_is_let_go_with_its_thread_slot_and_file(start, authority, endless, limit):
    server = start(service=endless, max_pulls=1, **{limit: 0.5})
    with plain_stub(server.port, authority.issue("site_a")) as stub:
        call = pull_from(stub)
        assert _is_open(endless.snapshot)
        start_s = time.monotonic()
        assert until(lambda: not _is_open(endless.snapshot))
        assert time.monotonic() - start_s < 3
        assert not server._slots._running
        with pytest.raises(grpc.RpcError):
            list(call)


def test_a_caller_that_goes_away_is_let_go(start, authority, endless):
    server = start(service=endless)
    with plain_stub(server.port, authority.issue("site_a")) as stub:
        call = pull_from(stub)
        assert _is_open(endless.snapshot)
        call.cancel()
        assert until(lambda: not _is_open(endless.snapshot))
        call = pull_from(stub)
    assert until(lambda: not _is_open(endless.snapshot))
    assert until(lambda: not server._slots._running)


def _is_open(path):
    return any(file.path == str(path) for file in psutil.Process().open_files())


def test_sending_a_large_snapshot_takes_no_memory_of_its_size(start, authority, endless):
    server = start(service=endless)
    process = psutil.Process()
    with plain_stub(server.port, authority.issue("site_a")) as stub:
        before, peak = process.memory_info().rss, 0
        for piece in stub.Pull(messages.pull_request(greeting_of("site_a"), "0" * 64, 0), timeout=60):
            peak = max(peak, process.memory_info().rss)
            assert len(piece.data) <= 1 << 20
    assert endless.sent_bytes["site_a"] == endless.size_bytes
    assert peak - before < 60e6


def test_a_taken_port_is_refused_and_never_shared(start, authority):
    server = start()
    with pytest.raises(FederationError, match="listen"):
        start(bind_address=f"127.0.0.1:{server.port}")


def test_a_stopped_server_leaves_no_thread_and_no_listener(start, authority):
    threads = psutil.Process().num_threads()
    for _ in range(5):
        server = start()
        describe(server.port, authority.issue("site_a"))
        server.stop(0)
    assert until(lambda: psutil.Process().num_threads() <= threads + 2)
    transport = GrpcTransport({"site_b": f"127.0.0.1:{server.port}"}, **authority.issue("site_a"), own="site_a")
    with pytest.raises(PeerUnreachable):
        transport.describe("site_b", greeting_of("site_a"), wanted_round=None, timeout_s=PATIENCE_S)
