"""Whose certificate it is that lies in a folder: signed by the federation's authority, valid now, RSA, in one name alone.

In a TLS handshake OpenSSL judges this. A certificate from a file is judged here, by the same rules (RFC 5280, section 6.1):
each certificate is signed by the next, the last is an authority of ours that signs itself, each is valid today, each that signs
may sign. ``cryptography.x509.verification`` asks for extensions that OpenFL's certificates do not have. OpenFL makes RSA keys
of 3072 bits (``openfl/cryptography/participant.py``), which can sign and be encrypted to.
"""

from collections.abc import Sequence
from datetime import datetime, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa

from src.exchange.identity import UNREADABLE, certified_name
from src.exchange.transport import PeerRefused

_SMALLEST_KEY_BITS, _LARGEST_KEY_BITS = 2048, 8192
_LONGEST_CHAIN = 8
_UNDERSTOOD = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)


def certified_key(
    certificate_pem: bytes, site: str, authorities: Sequence[x509.Certificate], now: datetime | None = None
) -> rsa.RSAPublicKey:
    """A site's public key.

    Args:
        certificate_pem: its certificate.
        site: whose it must be.
        authorities: the federation's, the intermediate ones too; from this site's own files.
        now: aware of its zone; None for the present.

    Raises:
        PeerRefused: ``certificate``: it is not of this site, not of our authority, not valid now, or has another kind of key.
    """
    name = certified_name(certificate_pem)
    if name != site:
        raise PeerRefused("certificate", f"expected a certificate of {site}, found one of {name}")
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        _check_chain(certificate, site, authorities, now or datetime.now(timezone.utc))
        key = certificate.public_key()
    except UNREADABLE as error:
        raise PeerRefused("certificate", f"the certificate of {site} cannot be read") from error
    if not isinstance(key, rsa.RSAPublicKey) or not _SMALLEST_KEY_BITS <= key.key_size <= _LARGEST_KEY_BITS:
        raise PeerRefused(
            "certificate",
            f"expected an RSA key of at least {_SMALLEST_KEY_BITS} bits in the certificate of {site}, found another; "
            "certificates that 'fx' makes have one, and the folder needs it",
        )
    return key


def _check_chain(certificate: x509.Certificate, site: str, authorities: Sequence[x509.Certificate], now: datetime) -> None:
    _check_validity(certificate, site, now)
    for authorities_below in range(_LONGEST_CHAIN):
        issuer = next((found for found in authorities if _is_signed_by(certificate, found)), None)
        if issuer is None:
            raise PeerRefused("certificate", f"the certificate of {site} is not signed by this federation's authority")
        _check_validity(issuer, site, now)
        _check_may_sign(issuer, site, authorities_below)
        if _is_signed_by(issuer, issuer):
            return
        certificate = issuer
    raise PeerRefused("certificate", f"the certificate of {site} has a chain of more than {_LONGEST_CHAIN} authorities")


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _check_validity(certificate: x509.Certificate, site: str, now: datetime) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= now <= end:
        raise PeerRefused(
            "certificate",
            f"the certificate of {site}, or of an authority behind it, is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}, today "
            f"is {now:%Y-%m-%d}; let it be renewed, or set this machine's clock",
        )
    unknown = [entry for entry in certificate.extensions if entry.critical and not isinstance(entry.value, _UNDERSTOOD)]
    if unknown:
        raise PeerRefused("certificate", f"the certificate of {site} has a critical extension that nobody here understands")


def _check_may_sign(issuer: x509.Certificate, site: str, authorities_below: int) -> None:
    values = {type(entry.value): entry.value for entry in issuer.extensions}
    basic, usage = values.get(x509.BasicConstraints), values.get(x509.KeyUsage)
    may_sign = basic is not None and basic.ca and (usage is None or usage.key_cert_sign)
    if not may_sign or (basic.path_length is not None and authorities_below > basic.path_length):
        raise PeerRefused("certificate", f"the certificate of {site} is signed by one that may not sign it")
