"""This site's certificate and key: whose they are, who signed them, how long they last, who can read them."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from src.doctor.finding import Finding, failed, ok, warning
from src.doctor.shared_fact import Unavailable
from src.doctor.workplace import Workplace
from src.exchange.identity import certified_name
from src.exchange.transport import PeerRefused

_SOON = timedelta(days=30)


def check_certificate(place: Workplace) -> Iterator[Finding]:
    """The site's name is its common name and its only DNS name."""
    if not place.needs_certificate:
        yield ok("certificate", "none is needed: this plan calls nobody")
        return
    if not place.certificate.is_file():
        yield failed("certificate", f"expected {place.certificate}, found no such file", _request(place))
        return
    try:
        name = certified_name(place.certificate.read_bytes())
    except PeerRefused as refused:
        yield failed("certificate", refused, _request(place))
        return
    if name != place.site:
        look = f"openssl x509 -in {place.certificate} -noout -subject -ext subjectAltName"
        yield failed("certificate", f"expected one of {place.site} in {place.certificate}, found one of {name}", look)
    else:
        yield ok("certificate", f"of {name}")


def check_authority(place: Workplace) -> Iterator[Finding]:
    """Signed, over whatever lies between, by the root of ``cert_chain.crt``."""
    if not place.needs_certificate:
        return
    if not place.chain.is_file():
        yield failed("authority", f"expected {place.chain}, found no such file", _import(place))
        return
    try:
        chain = _chain_of(_own(place), x509.load_pem_x509_certificates(place.chain.read_bytes()))
    except ValueError as error:
        yield failed("authority", f"{place.certificate} or {place.chain} holds no certificate ({error})", _import(place))
        return
    if chain is None:
        cause = f"{place.certificate} is not signed by the authority in {place.chain}"
        verify = f"openssl verify -CAfile {place.chain} {place.certificate}"
        yield failed("authority", cause, f"{verify}; {_import(place)}")
    else:
        fingerprint = chain[-1].fingerprint(chain[-1].signature_hash_algorithm).hex()
        yield ok("authority", f"root {fingerprint[:16]}…, the same at every site")


def check_expiry(place: Workplace) -> Iterator[Finding]:
    """Valid now, and for a month to come; the authority's as well."""
    if not place.needs_certificate:
        return
    certificates = [_own(place)]
    if place.chain.is_file():
        certificates += x509.load_pem_x509_certificates(place.chain.read_bytes())
    now = datetime.now(timezone.utc)
    end = min(certificate.not_valid_after_utc for certificate in certificates)
    begin = max(certificate.not_valid_before_utc for certificate in certificates)
    whose = "this site's certificate" if end == certificates[0].not_valid_after_utc else "the authority's certificate"
    if end < now:
        yield failed("expiry", f"{whose} expired on {end:%Y-%m-%d}", _request(place))
    elif begin > now:
        yield failed(
            "expiry", f"not valid before {begin:%Y-%m-%d %H:%M} UTC; this machine's clock says {now:%H:%M}", "timedatectl"
        )
    elif end - now < _SOON:
        yield warning("expiry", f"{whose} expires on {end:%Y-%m-%d}, in {(end - now).days} days", _request(place))
    else:
        yield ok("expiry", f"valid until {end:%Y-%m-%d}")


def check_private_key(place: Workplace) -> Iterator[Finding]:
    """The key of this certificate, readable by its owner alone."""
    if not place.needs_certificate:
        return
    if not place.private_key.is_file():
        yield failed("private key", f"expected {place.private_key}, found no such file", _request(place))
        return
    mode = place.private_key.stat().st_mode & 0o777
    try:
        key = serialization.load_pem_private_key(place.private_key.read_bytes(), None)
    except (ValueError, TypeError) as error:
        yield failed("private key", f"{place.private_key} holds no key that can be read ({error})", _request(place))
        return
    except PermissionError:
        yield failed("private key", f"{place.private_key} belongs to another user", f"sudo chown $USER {place.private_key}")
        return
    if place.certificate.is_file() and _public(key) != _public(_own(place)):
        cause = f"{place.private_key} is not the key of {place.certificate}"
        yield failed("private key", cause, f"bring back the key that belongs to it, or {_request(place)}")
    elif mode & 0o077:
        cause = f"others on this machine may use {place.private_key} (mode {mode:04o}, expected 0600)"
        yield failed("private key", cause, f"chmod 600 {place.private_key}")
    else:
        yield ok("private key", f"belongs to the certificate, mode {mode:04o}")


def _own(place: Workplace) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(place.certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise Unavailable("this site's certificate") from error


def _chain_of(leaf: x509.Certificate, authorities: list[x509.Certificate]) -> list[x509.Certificate] | None:
    """From a certificate to a root that signed itself; None when there is none."""
    chain = [leaf]
    while len(chain) <= len(authorities) + 1:
        if len(chain) > 1 and _signed(chain[-1], chain[-1]):
            return chain
        above = next((one for one in authorities if one not in chain and _signed(chain[-1], one)), None)
        if above is None:
            return None
        chain.append(above)
    return None


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _public(holder) -> bytes:
    """The public key of a certificate or of a private key."""
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return holder.public_key().public_bytes(*form)


def _request(place: Workplace) -> str:
    return f"fx collaborator generate-cert-request -n {place.site}"


def _import(place: Workplace) -> str:
    return f"fx collaborator certify --import agg_to_col_{place.site}_signed_cert.zip"
