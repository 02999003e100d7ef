"""A site's RSA key at work: RSA-PSS signatures, and keys wrapped by RSA-OAEP, both with SHA-256 (RFC 8017)."""

import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from src.errors import FederationError
from src.exchange.credentials import Credentials
from src.exchange.folder.certificate import certified_key
from src.exchange.transport import PeerRefused

_SHA256 = hashes.SHA256()
_PSS = padding.PSS(mgf=padding.MGF1(_SHA256), salt_length=padding.PSS.DIGEST_LENGTH)


class SiteKeys:
    """A site's own certificate and key, and whom it trusts.

    Args:
        site: its name.
        certificate, private_key, root_certificate: PEM files, as OpenFL makes them.

    Raises:
        FederationError: a file cannot be read, or the key is another certificate's.
        PeerRefused: every peer would refuse the certificate; says why.
    """

    def __init__(self, site: str, *, certificate: Path, private_key: Path, root_certificate: Path) -> None:
        files = Credentials(Path(certificate), Path(private_key), Path(root_certificate))
        self.site, self.certificate_pem = site, files.read("certificate")
        try:
            self._authorities = x509.load_pem_x509_certificates(files.read("root_certificate"))
            key = serialization.load_pem_private_key(files.read("private_key"), password=None)
        except (ValueError, TypeError) as error:
            raise FederationError(
                f"expected a key without a password in {Path(private_key).name} and the authority's chain in "
                f"{Path(root_certificate).name}, found something else; copy the files from where they were made"
            ) from error
        public_key = self.certified(self.certificate_pem, site)
        if not isinstance(key, rsa.RSAPrivateKey) or fingerprint(key.public_key()) != fingerprint(public_key):
            raise FederationError(
                f"expected the key of {files.certificate.name} in {files.private_key.name}, found another one; copy both from "
                "where they were made"
            )
        self._key, self.fingerprint = key, fingerprint(public_key)

    def certified(self, certificate_pem: bytes, site: str) -> rsa.RSAPublicKey:
        """A site's public key; see ``certified_key``."""
        return certified_key(certificate_pem, site, self._authorities)

    def sign(self, content: bytes) -> bytes:
        """Our signature."""
        return self._key.sign(content, _PSS, _SHA256)

    def unwrap(self, wrapped: bytes, label: bytes) -> bytes:
        """A key that was wrapped for us.

        Raises:
            PeerRefused: ``key``: it was not, or under another label.
        """
        try:
            return self._key.decrypt(wrapped, _oaep(label))
        except ValueError as error:
            raise PeerRefused("key", "a key in the folder is not wrapped for this site's certificate") from error


def wrap(public_key: rsa.RSAPublicKey, key: bytes, label: bytes) -> bytes:
    """A key that only the owner of the other one can unwrap, and only under the same label."""
    return public_key.encrypt(key, _oaep(label))


def is_signed(public_key: rsa.RSAPublicKey, signature: bytes, content: bytes) -> bool:
    """Whether a signature is of these bytes by the owner of this key."""
    try:
        public_key.verify(signature, content, _PSS, _SHA256)
    except InvalidSignature:
        return False
    return True


def fingerprint(public_key: rsa.RSAPublicKey) -> str:
    """SHA-256 in hex of a public key."""
    encoded = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(encoded).hexdigest()


def _oaep(label: bytes) -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(_SHA256), algorithm=_SHA256, label=label)
