"""A throw-away authority and certificates as OpenFL makes them, for tests over real mutual TLS."""

from dataclasses import dataclass
from pathlib import Path

from openfl.cryptography.ca import generate_root_cert, generate_signing_csr, sign_certificate
from openfl.cryptography.io import write_crt, write_key
from openfl.cryptography.participant import generate_csr


@dataclass
class Authority:
    """A root and a signing authority with its files in one folder."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        root_key, root = generate_root_cert()
        self._key, request = generate_signing_csr()
        self._certificate = sign_certificate(request, root_key, root.subject, ca=True)
        self.chain = self.folder / "cert_chain.crt"
        parts = []
        for name, certificate in (("signing", self._certificate), ("root", root)):
            write_crt(certificate, self.folder / f"{name}.crt")
            parts.append((self.folder / f"{name}.crt").read_bytes())
        self.chain.write_bytes(b"".join(parts))

    def certify(self, name: str, *, server: bool = False) -> dict[str, str]:
        """Makes a key and a signed certificate; the paths under the names OpenFL gives them."""
        key, request = generate_csr(name, server=server)
        certificate, private_key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        write_crt(sign_certificate(request, self._key, self._certificate.subject), certificate)
        write_key(key, private_key)
        return {
            "root_certificate": str(self.chain),
            "certificate": str(certificate),
            "private_key": str(private_key),
        }
