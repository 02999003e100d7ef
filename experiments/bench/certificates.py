"""A throw-away authority and certificates with the names that OpenFL's have: CN and one DNS SAN, both the site's name.

OpenFL makes RSA keys of 3072 bits; elliptic ones are drawn sooner and cost the same once a connection stands.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_ROOT = "bench root"


def make_certificates(folder: Path, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Certificates of one authority, valid for a day.

    Args:
        folder: gets the files.
        names: of their owners.

    Returns:
        By name the paths of ``certificate``, ``private_key`` and ``root_certificate``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _sign(root_key, _ROOT, root_key.public_key(), x509.BasicConstraints(ca=True, path_length=None))
    root_file = folder / "root.crt"
    root_file.write_bytes(root)
    made = {}
    for name in names:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, private_key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(_sign(root_key, name, key.public_key(), x509.SubjectAlternativeName([x509.DNSName(name)])))
        private_key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        files = {"certificate": certificate, "private_key": private_key, "root_certificate": root_file}
        made[name] = {kind: str(path) for kind, path in files.items()}
    return made


def _sign(root_key, name: str, public_key, extension: x509.ExtensionType) -> bytes:
    now = datetime.now(timezone.utc)
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, _ROOT))
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number()).add_extension(extension, critical=True)
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    return builder.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
