"""Three sites as status sees them: real certificates and servers, snapshots of a small model, and one that asks."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from experiments.federation.plan import free_ports
from src.exchange.ledger import Ledger
from src.exchange.outbox import Outbox
from src.exchange.served import ServedSite
from src.exchange.server import ExchangeServer
from src.status.ask import ask_all
from src.status.asker import Asker
from src.status.overview import Overview, overview_of
from tests.src.exchange.small_snapshots import STRUCTURES, manifest
from tests.src.exchange.tls import MEMBERSHIP, ROSTER, ExchangeAuthority

ROUNDS = 10


class StatusFederation:
    """What a test needs of a federation of ``ROSTER``; site_a asks.

    Args:
        folder: of certificates and state folders.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._authority = ExchangeAuthority(folder / "cert")
        self.certificates = {site: self._authority.issue(site) for site in ROSTER}
        self.ports = dict(zip(ROSTER, free_ports(len(ROSTER)), strict=True))

    def asker(self, **changes) -> Asker:
        """site_a, which knows everybody's address."""
        settings = dict(
            site="site_a",
            roster=ROSTER,
            rounds=ROUNDS,
            structures=STRUCTURES,
            membership=MEMBERSHIP,
            addresses={site: f"127.0.0.1:{port}" for site, port in self.ports.items()},
            certificates=self.certificates["site_a"],
            state_folder=self.folder / "site_a",
            log_folder=self.folder / "logs" / "site_a",
            timeout_s=2.0,
            missing_after_s=3600.0,
        )
        return Asker(**{**settings, **changes})

    def overview(self, **changes) -> Overview:
        """What site_a finds when it asks once."""
        asker = self.asker(**changes)
        with contextlib.closing(asker.open_transport()) as transport:
            return overview_of(asker, ask_all(asker, transport), time.time())

    def site(self, name: str, train_cases: dict[str, int]) -> ServedSite:
        """A site that has published nothing yet."""
        state = self.folder / name
        outbox, ledger = Outbox(state / "outbox", keep=2), Ledger(state / "ledger.json")
        return ServedSite(name, ROSTER, MEMBERSHIP, outbox, ledger, train_cases, "openfl-oar 0.1.0")

    @contextmanager
    def serving(self, service) -> Iterator[ExchangeServer]:
        """Its server, as the collaborator opens it, while the block runs."""
        server = ExchangeServer(
            service,
            bind_address=f"127.0.0.1:{self.ports[service.site]}",
            roster=ROSTER,
            max_pulls=2,
            **self.certificates[service.site],
        )
        server.start()
        try:
            yield server
        finally:
            server.stop(0)


def publish(site: ServedSite, round_number: int, **facts) -> None:
    """One more snapshot of a site, and where it stands then."""
    found = manifest(site=site.site, sequence=round_number, round=round_number, **facts)
    site.outbox.publish(found, {"weight": torch.full((9,), float(round_number))}, "float32")
