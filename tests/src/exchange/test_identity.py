"""Names in certificates, and a caller's look at the certificate a peer shows."""

import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from src.errors import FederationError
from src.exchange.credentials import Credentials
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.identity import certified_name, checked_certificate
from src.exchange.server import ExchangeServer
from src.exchange.transport import PeerRefused, PeerUnreachable
from tests.src.exchange.tls import ROSTER, ExchangeAuthority, OneSnapshot, greeting_of

PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return ExchangeAuthority(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    return ExchangeAuthority(tmp_path_factory.mktemp("pki") / "theirs")


@pytest.fixture
def snapshot(tmp_path):
    path = tmp_path / "offered"
    path.write_bytes(b"weights" * 1000)
    return path


def serve(snapshot, credentials, site="site_b"):
    server = ExchangeServer(OneSnapshot(site, snapshot), bind_address="127.0.0.1:0", roster=ROSTER, max_pulls=2, **credentials)
    server.start()
    return server


def look(authority, port, peer="site_b", own="site_a", timeout_s=PATIENCE_S):
    context = Credentials(**authority.issue(own)).context()
    return checked_certificate(peer, f"127.0.0.1:{port}", context, timeout_s)


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_a_name_is_read_in_lower_case_from_pem_and_der(authority, encoding):
    pem = authority.issue("Site_A")["certificate"].read_bytes()
    assert certified_name(x509.load_pem_x509_certificate(pem).public_bytes(encoding)) == "site_a"


@pytest.mark.parametrize("alternative", [["site_b"], ["site_a", "site_b"], ["site_b", "site_a"], []])
def test_a_certificate_of_more_or_other_than_one_name_names_nobody(authority, alternative):
    pem = authority.issue("site_a", alternative=alternative)["certificate"].read_bytes()
    with pytest.raises(PeerRefused, match="expected one name") as refused:
        certified_name(pem)
    assert refused.value.reason == "certificate"


@given(st.binary(max_size=300))
def test_what_is_no_certificate_is_refused(content):
    with pytest.raises(PeerRefused):
        certified_name(content)
    with pytest.raises(PeerRefused):
        certified_name(b"-----BEGIN CERTIFICATE-----\n" + content)


def test_a_certificate_of_a_version_that_does_not_exist_is_refused(authority):
    pem = authority.issue("site_b", file="version")["certificate"].read_bytes()
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    third, impossible = b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x42"
    assert der.count(third) == 1
    with pytest.raises(PeerRefused, match=r"expected an X\.509 certificate"):
        certified_name(der.replace(third, impossible))


def test_the_certificate_a_peer_shows_is_the_one_it_was_given(authority, snapshot):
    credentials = authority.issue("site_b")
    server = serve(snapshot, credentials)
    try:
        seen = x509.load_pem_x509_certificate(look(authority, server.port))
        assert seen == x509.load_pem_x509_certificate(credentials["certificate"].read_bytes())
    finally:
        server.stop(0)


@pytest.mark.parametrize(
    ("issue", "found"),
    [
        (lambda ours, theirs: theirs.issue("site_b"), "self-signed|unable to get|signature"),
        (lambda ours, theirs: ours.issue("site_b", expired=True), "expired"),
        (lambda ours, theirs: ours.issue("site_c"), "not valid for 'site_b'|[Hh]ostname"),
        (lambda ours, theirs: ours.issue("site_c", alternative=["site_b"], file="other_cn"), "expected one name"),
        (lambda ours, theirs: ours.issue("site_b", alternative=["site_c"], file="other_san"), "not valid|[Hh]ostname"),
        (lambda ours, theirs: ours.issue("site_b", alternative=["site_b", "site_c"], file="two"), "expected one name"),
        (lambda ours, theirs: ours.issue("site_b", alternative=[], file="none"), "expected one name"),
    ],
    ids=["other authority", "expired", "another site's", "CN of another", "SAN of another", "two names", "no SAN"],
)
def test_a_peer_with_a_wrong_certificate_is_refused_at_once_and_by_name(authority, foreign, snapshot, tmp_path, issue, found):
    server = serve(snapshot, {**issue(authority, foreign), "root_certificate": authority.chain})
    transport = GrpcTransport({"site_b": f"127.0.0.1:{server.port}"}, **authority.issue("site_a"), own="site_a")
    try:
        start = time.monotonic()
        with pytest.raises(PeerRefused, match=found) as refused:
            transport.describe("site_b", greeting_of("site_a"), wanted_round=None, timeout_s=PATIENCE_S)
        assert refused.value.reason == "certificate"
        assert time.monotonic() - start < 3
        assert str(tmp_path) not in str(refused.value)
    finally:
        transport.close()
        server.stop(0)


def test_grpc_trusts_the_certificate_that_was_looked_at_and_no_other_of_the_same_name(authority, snapshot):
    """Between our look and gRPC's connection another machine could answer, with a certificate gRPC alone would take."""
    transport = GrpcTransport({"site_b": "127.0.0.1:1"}, **authority.issue("site_a"), own="site_a")
    looked_at = authority.issue("site_b", file="looked_at")["certificate"].read_bytes()
    server = serve(snapshot, authority.issue("site_b", file="other"))
    line = transport._open("site_b", f"127.0.0.1:{server.port}", looked_at)
    transport._lines["site_b"] = line
    try:
        with pytest.raises(PeerUnreachable):  # the look at the address of the book, which comes next, finds nobody
            transport.describe("site_b", greeting_of("site_a"), wanted_round=None, timeout_s=PATIENCE_S)
        assert not server._servicer._service.greeted
    finally:
        transport.close()
        server.stop(0)


@pytest.mark.parametrize("kind", ["other authority", "expired"])
def test_our_certificate_that_a_peer_does_not_take_is_said_to_be_the_reason(authority, foreign, snapshot, kind):
    own = foreign.issue("site_a") if kind == "other authority" else authority.issue("site_a", expired=True, file="late")
    server = serve(snapshot, authority.issue("site_b"))
    transport = GrpcTransport(
        {"site_b": f"127.0.0.1:{server.port}"}, **{**own, "root_certificate": authority.chain}, own="site_a"
    )
    try:
        start = time.monotonic()
        with pytest.raises(PeerRefused, match="our certificate") as refused:
            transport.describe("site_b", greeting_of("site_a"), wanted_round=None, timeout_s=PATIENCE_S)
        assert refused.value.reason == "certificate"
        assert time.monotonic() - start < 3
    finally:
        transport.close()
        server.stop(0)


@pytest.mark.parametrize(("hang_ups", "end"), [(1, PeerUnreachable), (2, PeerRefused)])
def test_a_peer_that_is_stopped_while_it_looks_at_us_is_no_refusal(authority, hang_ups, end):
    """It completes the handshake and hangs up: a refusal when it does so again, a restart when it is gone then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = authority.issue("site_b")
    context.load_cert_chain(own["certificate"], own["private_key"])
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            for _ in range(hang_ups):
                line, _ = listener.accept()
                context.wrap_socket(line, server_side=True).close()
            listener.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(end):
            look(authority, listener.getsockname()[1])
        thread.join()


def test_a_certificate_of_another_site_is_not_taken_for_ones_own(authority):
    with pytest.raises(PeerRefused, match="expected a certificate of site_a"):
        GrpcTransport({}, **authority.issue("site_c"), own="site_a")


@pytest.mark.parametrize("missing", ["certificate", "private_key", "root_certificate"])
def test_a_missing_or_foreign_file_of_our_own_is_named_without_its_folder(authority, tmp_path, missing):
    for path, content in ((tmp_path / "gone.crt", None), (tmp_path / "gone.crt", "no PEM")):
        if content:
            path.write_text(content)
        with pytest.raises(FederationError, match=r"gone\.crt") as refused:
            GrpcTransport({}, **{**authority.issue("site_a"), missing: path}, own="site_a")
        assert str(tmp_path) not in str(refused.value)


def test_a_port_of_another_program_is_no_timeout(authority):
    """It answers, but not in TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            line, _ = listener.accept()
            line.recv(100)
            line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            line.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(PeerRefused, match="another program"):
            look(authority, listener.getsockname()[1])
        thread.join()


def test_a_port_that_takes_the_call_and_says_nothing_costs_no_more_than_the_time_given(authority):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        start = time.monotonic()
        with pytest.raises(PeerUnreachable):
            look(authority, listener.getsockname()[1], timeout_s=0.5)
        assert time.monotonic() - start < 1.5


_OPENFL_AUTHORITY = """
import sys
from pathlib import Path
from openfl.cryptography.ca import generate_root_cert, generate_signing_csr, sign_certificate
from openfl.cryptography.io import write_crt, write_key
from openfl.cryptography.participant import generate_csr
folder = Path(sys.argv[1])
root_key, root = generate_root_cert()
signing_key, request = generate_signing_csr()
signing = sign_certificate(request, root_key, root.subject, ca=True)
for name in ("root", "signing"):
    write_crt({"root": root, "signing": signing}[name], folder / f"{name}.crt")
(folder / "cert_chain.crt").write_bytes((folder / "root.crt").read_bytes() + (folder / "signing.crt").read_bytes())
for site in ("site_a", "site_b"):
    key, request = generate_csr(site)
    write_key(key, folder / f"{site}.key")
    write_crt(sign_certificate(request, signing_key, signing.subject), folder / f"{site}.crt")
"""


def test_the_certificates_openfl_makes_serve_both_ends(snapshot, tmp_path):
    pytest.importorskip("openfl")
    subprocess.run([sys.executable, "-c", _OPENFL_AUTHORITY, str(tmp_path)], check=True, capture_output=True)

    def credentials(site: str) -> dict[str, Path]:
        files = {"certificate": f"{site}.crt", "private_key": f"{site}.key", "root_certificate": "cert_chain.crt"}
        return {name: tmp_path / file for name, file in files.items()}

    server = serve(snapshot, credentials("site_b"))
    transport = GrpcTransport({"site_b": f"127.0.0.1:{server.port}"}, **credentials("site_a"), own="site_a")
    try:
        described = transport.describe("site_b", greeting_of("site_a"), wanted_round=None, timeout_s=PATIENCE_S)
        target = tmp_path / "pulled"
        transport.pull("site_b", greeting_of("site_a"), described, target, timeout_s=PATIENCE_S)
        assert target.read_bytes() == snapshot.read_bytes()
        assert not server.refusals
    finally:
        transport.close()
        server.stop(0)
