"""Sites of one folder for the tests: RSA certificates such as OpenFL makes (shorter ones), and what publishes and reads."""

from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from src.exchange.folder.publication import FolderPublication
from src.exchange.folder.site_keys import SiteKeys
from src.exchange.folder.transport import FolderTransport
from tests.src.exchange.tls import MEMBERSHIP, OneSnapshot, greeting_of

SITES = ("site_a", "site_b", "site_c")


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """A key for each name, drawn once: drawing takes longer than a test."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class RsaAuthority:
    """A root, an intermediate authority that signs, and certificates, as ``fx workspace certify`` makes them.

    Args:
        folder: of the files; made.
        name: of the authority's keys: another one is another authority with the same names.
    """

    def __init__(self, folder: Path, name: str = "ours", *, signer_may_sign: bool = True, key_of=rsa_key) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._key_of = folder, key_of
        root, self._signer = key_of(f"{name} root"), key_of(f"{name} signer")
        certificates = [
            self._certificate("Simple Signing CA", self._signer.public_key(), "Simple Root CA", root, may_sign=signer_may_sign),
            self._certificate("Simple Root CA", root.public_key(), "Simple Root CA", root, may_sign=True),
        ]
        self.chain = folder / "cert_chain.crt"
        self.chain.write_bytes(b"".join(map(_pem, certificates)))

    def issue(self, site: str, *, days: tuple[int, int] = (-1, 1), key=None, file: str = "") -> dict[str, Path]:
        """A site's files; ``days`` from now are when its certificate is valid."""
        key = key or self._key_of(site)
        certificate = self._certificate(site, key.public_key(), "Simple Signing CA", self._signer, may_sign=False, days=days)
        paths = [self.folder / f"{file or site}.crt", self.folder / f"{file or site}.key"]
        paths[0].write_bytes(_pem(certificate))
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        paths[1].write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
        return {"certificate": paths[0], "private_key": paths[1], "root_certificate": self.chain}

    def keys(self, site: str, **changes) -> SiteKeys:
        """A site's keys, read from its files."""
        return SiteKeys(site, **self.issue(site, **changes))

    def _certificate(self, name, public_key, issuer, issuer_key, *, may_sign, days=(-1, 1)) -> x509.Certificate:
        now, (begin, end) = datetime.now(timezone.utc), days
        subject, issued_by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer))
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issued_by).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now + timedelta(days=begin))
        builder = builder.not_valid_after(now + timedelta(days=end))
        builder = builder.add_extension(x509.BasicConstraints(ca=may_sign, path_length=None), critical=True)
        if not may_sign:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(issuer_key, hashes.SHA384())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Site:
    """One site with one snapshot, its files in the folder, and its reader.

    Args:
        keys: of the site.
        folder: the synchronised one.
        state: its own folder.
        snapshot: what it offers.
        changes: of the publication.
    """

    def __init__(self, keys: SiteKeys, folder: Path, state: Path, snapshot: bytes = b"a small model", **changes) -> None:
        state.mkdir(parents=True, exist_ok=True)
        (state / "snapshot").write_bytes(snapshot)
        self.name, self.service = keys.site, OneSnapshot(keys.site, state / "snapshot")
        settings = dict(
            folder=folder,
            keys=keys,
            peers=[name for name in SITES if name != keys.site],
            membership=MEMBERSHIP,
            epoch=1,
            state_path=state / "seals.json",
        )
        self.publication = FolderPublication(self.service, lambda: (), **{**settings, **changes})
        self.transport = FolderTransport(folder, keys)

    def describe(self, peer: str, *, wanted_round: int | None = None, timeout_s: float = 5.0):
        """Asks a peer's card."""
        return self.transport.describe(peer, greeting_of(self.name), wanted_round=wanted_round, timeout_s=timeout_s)

    def pull(self, peer: str, description, target: Path, *, timeout_s: float = 5.0) -> int:
        """Fetches a snapshot."""
        return self.transport.pull(peer, greeting_of(self.name), description, target, timeout_s=timeout_s)


def meet(*sites: Site) -> None:
    """Until all have read all certificates: a card, and one for who has been read."""
    for _ in range(2):
        for site in sites:
            site.publication.renew()
