"""A throw-away authority, and certificates with the names OpenFL's have: CN and one DNS SAN, both the site's name.

Elliptic keys, because an RSA key such as OpenFL makes takes longer to draw than the test that uses it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Authority:
    """A root with its files in one folder; all have the same name, as OpenFL's do."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simple Root CA")])
        self.chain = self.folder / "cert_chain.crt"
        self._write(self.chain, self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=None))

    def certify(self, name: str) -> dict[str, str]:
        """Makes a key and a certificate, for either end; the paths under the names OpenFL's client and server give them."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, private_key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        san = x509.SubjectAlternativeName([x509.DNSName(name)])
        self._write(certificate, subject, key.public_key(), x509.BasicConstraints(ca=False, path_length=None), san)
        private_key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return {"root_certificate": str(self.chain), "certificate": str(certificate), "private_key": str(private_key)}

    def _write(self, path: Path, subject: x509.Name, public_key, *extensions: x509.ExtensionType) -> None:
        now = datetime.now(timezone.utc)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
