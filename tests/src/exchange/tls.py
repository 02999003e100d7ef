"""Certificates for the exchange's tests, good ones and those that must be refused; and a small site that serves a snapshot."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Lock

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from src.exchange import messages_pb2_grpc
from src.exchange.membership import Description, Greeting, Membership, SiteState
from src.exchange.transport import PeerRefused
from tests.src.certificates import Authority

ROSTER = ("site_a", "site_b", "site_c")
MEMBERSHIP = Membership(
    federation_id="gossip_phantom_1234abcd",
    run_id="1",
    roster_digest="r" * 64,
    architecture_hash="a" * 64,
    initial_digest="i" * 64,
)


class ExchangeAuthority(Authority):
    """An ``Authority`` that also signs what it should not."""

    def issue(
        self, common_name: str, *, alternative: Sequence[str] | None = None, expired: bool = False, file: str | None = None
    ) -> dict[str, Path]:
        """Makes a key and a certificate; the paths under the names that both ends of the exchange give them."""
        file = file or common_name
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(timezone.utc)
        end = now - timedelta(hours=1) if expired else now + timedelta(days=1)
        names = [x509.DNSName(name) for name in ([common_name] if alternative is None else alternative)]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=2))
        builder = builder.not_valid_after(end).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate, private_key = self.folder / f"{file}.crt", self.folder / f"{file}.key"
        certificate.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        private_key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return {"certificate": certificate, "private_key": private_key, "root_certificate": self.chain}


def greeting_of(site: str) -> Greeting:
    """What a site of the test federation says with every call."""
    return Greeting(site=site, membership=MEMBERSHIP, state=SiteState.TRAINING)


@contextmanager
def plain_stub(port: int, credentials: dict[str, Path], peer: str = "site_b") -> Iterator[messages_pb2_grpc.ExchangeStub]:
    """A caller that takes no care of its own: gRPC alone, with any certificate; without one when the dict has only a root."""
    files = {name: path.read_bytes() for name, path in credentials.items()}
    certified = grpc.ssl_channel_credentials(files["root_certificate"], files.get("private_key"), files.get("certificate"))
    with grpc.secure_channel(f"127.0.0.1:{port}", certified, options=[("grpc.ssl_target_name_override", peer)]) as channel:
        yield messages_pb2_grpc.ExchangeStub(channel)


class OneSnapshot:
    """A ``Service`` with one snapshot; keeps what it was asked and what it sent."""

    def __init__(self, site: str, snapshot: Path) -> None:
        self.site, self.snapshot = site, snapshot
        self.sent_bytes: Counter = Counter()
        self.greeted: list[tuple[str, Greeting, int | None]] = []
        self._lock = Lock()

    def greet(self, caller: str, greeting: Greeting, *, wanted_round: int | None) -> Description:
        self.greeted.append((caller, greeting, wanted_round))
        differences = MEMBERSHIP.differences(greeting.membership)
        if differences:
            raise PeerRefused(differences[0].split("_")[0], "; ".join(differences))
        content = self.snapshot.read_bytes()
        return Description(
            site=self.site,
            membership=MEMBERSHIP,
            state=SiteState.TRAINING,
            round=7,
            epoch=1,
            sequence=8,
            snapshot_round=7,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            train_cases={"Parotid_L": 3},
        )

    def open_snapshot(self, caller: str, greeting: Greeting, sha256: str) -> Path:
        if sha256 != hashlib.sha256(self.snapshot.read_bytes()).hexdigest():
            raise PeerRefused("absent", "no such snapshot")
        return self.snapshot

    def count_sent(self, caller: str, num_bytes: int) -> None:
        with self._lock:
            self.sent_bytes[caller] += num_bytes


class Endless(OneSnapshot):
    """Offers a snapshot larger than all buffers on the way, under any digest."""

    size_bytes = 200_000_000

    def __init__(self, site: str, snapshot: Path) -> None:
        super().__init__(site, snapshot)
        with snapshot.open("wb") as file:
            file.truncate(self.size_bytes)

    def open_snapshot(self, caller: str, greeting: Greeting, sha256: str) -> Path:
        return self.snapshot
