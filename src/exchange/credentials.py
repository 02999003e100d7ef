"""A site's own certificate and key, and whom it trusts: the files that OpenFL makes, for either end of a connection."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from src.errors import FederationError
from src.exchange.identity import certified_name
from src.exchange.transport import PeerRefused


@dataclass(frozen=True)
class Credentials:
    """A site's own certificate, its key, and the chain of the federation's authority; all PEM files."""

    certificate: Path
    private_key: Path
    root_certificate: Path

    def read(self, name: str) -> bytes:
        """One of the files.

        Raises:
            FederationError: it cannot be read.
        """
        path: Path = getattr(self, name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise FederationError(f"expected this site's {name} in {path.name}, found none ({error.strerror})") from error

    def check_name(self, own: str) -> None:
        """Sees to it that peers will know this site by its certificate.

        Raises:
            PeerRefused: as from ``certified_name``, or it is another site's.
        """
        name = certified_name(self.read("certificate"))
        if name != own:
            raise PeerRefused("certificate", f"expected a certificate of {own} in {self.certificate.name}, found one of {name}")

    def context(self) -> ssl.SSLContext:
        """What a caller needs for a TLS handshake in which both ends show their certificate.

        Raises:
            FederationError: the files do not hold what they should, or the key is another certificate's.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cadata=self.read("root_certificate").decode("ascii"))
            context.load_cert_chain(self.certificate, self.private_key)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise FederationError(
                f"expected a certificate in {self.certificate.name}, its key in {self.private_key.name} and the authority's "
                f"chain in {self.root_certificate.name}, found something else "
                f"({getattr(error, 'reason', None) or type(error).__name__}); copy the files from where they were made"
            ) from error
        context.set_alpn_protocols(["h2"])
        return context
