"""A certificate in DER, as a caller shows it or a card holds it."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from src.exchange.folder.certificate import certified_key
from src.exchange.identity import certified_name
from src.exchange.transport import PeerRefused
from tests.fuzz.folder_keys import authorities, site_keys
from tests.fuzz.refusals import check_refusal


def seeds() -> list[bytes]:
    """None that lasts: certificates expire."""
    return [b"", b"0\x82"]


def fresh_seeds() -> list[bytes]:
    """A site's certificate and its authorities'."""
    found = [x509.load_pem_x509_certificate(site_keys("site_b").certificate_pem), *_chain()]
    return [certificate.public_bytes(Encoding.DER) for certificate in found]


def check(content: bytes) -> None:
    """One name and a key, or a refusal; and nobody's key but the site's own goes for it."""
    body = base64.encodebytes(content)
    pem = b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
    for shown in (content, pem):
        try:
            assert certified_name(shown).isprintable()
        except PeerRefused as refused:
            check_refusal(refused)
    try:
        key = certified_key(pem, "site_b", _chain())
    except PeerRefused as refused:
        check_refusal(refused)
    else:
        honest = site_keys("site_b").certified(site_keys("site_b").certificate_pem, "site_b")
        assert key == honest, "a key that the authority never signed"


def _chain() -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(authorities())
