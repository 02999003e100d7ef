"""Who somebody is: the name in a certificate, and the certificate a server really shows.

OpenFL's authority copies a request's alternative names unchecked, gRPC's callers compare only those, and its servers are wont
to read the common name. So a name counts here only when the common name and the only alternative name are the same, at
both ends. gRPC for Python shows a caller nothing of the server's certificate; hence a TLS handshake of our own before gRPC's,
and the certificate that was checked becomes the only one that gRPC then trusts: it accepts a leaf as the end of a chain
(X509_V_FLAG_PARTIAL_CHAIN, set in gRPC's ssl_transport_security.cc).
"""

import socket
import ssl
import threading
import time

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from src.exchange.address import split_address
from src.exchange.transport import PeerRefused, PeerUnreachable

# What ``cryptography`` raises at bytes that are no certificate, or one that nobody should have made.
UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


def certified_name(certificate: bytes) -> str:
    """The name in a certificate, in lower case: its common name, which must be its only alternative name too.

    Args:
        certificate: PEM or DER.

    Raises:
        PeerRefused: it names nobody, or more than one.
    """
    try:
        pem = certificate.lstrip().startswith(b"-----BEGIN")
        parsed = (x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate)(certificate)
        common = [str(entry.value).lower() for entry in parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        found = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        found = ()
    except UNREADABLE as error:
        raise PeerRefused("certificate", "expected an X.509 certificate, found something else") from error
    alternative = [entry.value.lower() if isinstance(entry, x509.DNSName) else f"{entry!r:.80}" for entry in found]
    if len(common) != 1 or common != alternative or not common[0] or not common[0].isprintable():
        raise PeerRefused(
            "certificate",
            f"expected one name, the same as common name and as only alternative name, found {common!r:.200} "
            f"and {alternative!r:.200}; let the federation's authority sign a request of "
            "'fx collaborator generate-cert-request'",
        )
    return common[0]


def checked_certificate(peer: str, address: str, context: ssl.SSLContext, timeout_s: float) -> bytes:
    """The certificate a peer shows, in PEM: signed by the federation's authority, valid now, and in the peer's name alone.

    Raises:
        PeerUnreachable: nobody answers at the address within ``timeout_s``.
        PeerRefused: the certificate is not the peer's, or the peer does not accept ours.
    """
    deadline = time.monotonic() + timeout_s
    try:
        try:
            certificate = _shown_certificate(peer, address, context, deadline)
        except _HungUp:
            # A peer that is stopped at this very moment looks like one that refuses us; one that refuses us does so again.
            certificate = _shown_certificate(peer, address, context, deadline)
    except _HungUp as error:
        raise PeerRefused(
            "certificate",
            f"{peer} hung up when it saw our certificate{error}; expected one that is signed by the federation's authority "
            "and has not expired",
        ) from None
    except ssl.SSLCertVerificationError as error:
        found = f"{peer} shows a certificate that is not its own or not valid: {error.verify_message.rstrip('.')}"
        raise PeerRefused("certificate", f"{found}; compare its cert_chain.crt with ours, and the date it expires") from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise PeerUnreachable(f"{peer} at {address} hung up during the handshake") from error
    except ssl.SSLError as error:
        found = f"{peer} at {address} does not end the TLS handshake ({error.reason})"
        raise PeerRefused("certificate", f"{found}; is it another program's port?") from error
    except (OSError, UnicodeError) as error:
        raise PeerUnreachable(f"{peer} at {address} does not answer: {_in_words(error)}") from error
    if certified_name(certificate) != peer:
        raise PeerRefused("certificate", f"expected a certificate of {peer}, found one of {certified_name(certificate)}")
    return ssl.DER_cert_to_PEM_cert(certificate).encode()


class _HungUp(Exception):
    """The peer ended the connection after the handshake; its text is the reason it gave, or nothing."""


def _shown_certificate(peer: str, address: str, context: ssl.SSLContext, deadline: float) -> bytes:
    with _connect(address, deadline) as line:
        line.settimeout(_remaining_s(deadline))
        with context.wrap_socket(line, server_hostname=peer) as tls:
            certificate = tls.getpeercert(binary_form=True)
            _wait_for_first_byte(tls, deadline)
    return certificate


def _wait_for_first_byte(tls: ssl.SSLSocket, deadline: float) -> None:
    """With TLS 1.3 our handshake ends before the peer has judged our certificate."""
    tls.settimeout(_remaining_s(deadline))
    try:
        first = tls.recv(1)
    except ssl.SSLError as error:
        raise _HungUp(f" ({error.reason})") from None
    if not first:
        raise _HungUp


def _connect(address: str, deadline: float) -> socket.socket:
    host, port = split_address(address)
    error: OSError = OSError("no address")
    for family, kind, protocol, _, target in _resolve(host, port, deadline):
        line = socket.socket(family, kind, protocol)
        try:
            line.settimeout(_remaining_s(deadline))
            line.connect(target)
            return line
        except OSError as failure:
            error = failure
            line.close()
    raise error


def _resolve(host: str, port: int, deadline: float) -> list[tuple]:
    """The system's answer; asked in a thread, because the question itself knows no time limit."""
    answer: list = []

    def ask() -> None:
        try:
            answer.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    thread = threading.Thread(target=ask, daemon=True, name="exchange-resolve")
    thread.start()
    thread.join(_remaining_s(deadline))
    if not answer:
        raise TimeoutError("its name cannot be resolved in time")
    if isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0]


def _remaining_s(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


def _in_words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
