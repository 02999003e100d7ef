"""One site's part in the folder: what reads there from the start, and what publishes once there is something to."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from src.errors import PlanSettingError
from src.exchange.folder.publication import FolderPublication
from src.exchange.folder.publisher import FolderPublisher
from src.exchange.folder.site_keys import SiteKeys
from src.exchange.folder.transport import FolderTransport
from src.exchange.membership import Membership
from src.exchange.outbox import Outbox
from src.exchange.reachability import FOLDER, kind_of, transport_between
from src.exchange.transport import Service


def folder_peers(roster: Sequence[str], table: Mapping[str, str], site: str, *, folder: bool) -> tuple[str, ...]:
    """Whom a site meets in the folder, sorted; see ``reachability``."""
    own = kind_of(table, site)
    others = sorted(name for name in roster if name != site)
    return tuple(name for name in others if transport_between(own, kind_of(table, name), folder=folder) == FOLDER)


class SharedFolder:
    """The folder as one site uses it.

    Args:
        path: of the folder, where this site sees it.
        own: its name.
        peers: whom it meets there; at least one.
        certificate, private_key, root_certificate: PEM files, as OpenFL makes them.

    Raises:
        PlanSettingError: there is no such folder now; during the run it may come and go.
        FederationError, PeerRefused: as ``SiteKeys``.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        own: str,
        peers: Collection[str],
        certificate: Path,
        private_key: Path,
        root_certificate: Path,
    ) -> None:
        if path is None or not path.is_dir():
            found = "none" if path is None else f"{path}, which is no folder"
            raise PlanSettingError(
                f"plan/peers.yaml: folder: expected the synchronised folder in which this site meets "
                f"{', '.join(sorted(peers))}, found {found}; mount it and write its path there"
            )
        self.peers, self._path = tuple(sorted(peers)), path
        self._keys = SiteKeys(own, certificate=certificate, private_key=private_key, root_certificate=root_certificate)
        self.transport = FolderTransport(path, self._keys)

    def publisher(
        self, service: Service, outbox: Outbox, membership: Membership, *, epoch: int, state_path: Path
    ) -> FolderPublisher:
        """What publishes for a site, still to be started; the transport has it look at the site before each question.

        Args:
            service: the site, as callers see it.
            outbox: what it offers.
            membership, epoch: its own.
            state_path: a file for what must survive a restart.
        """
        publication = FolderPublication(
            service,
            outbox.rounds,
            folder=self._path,
            keys=self._keys,
            peers=self.peers,
            membership=membership,
            epoch=epoch,
            state_path=state_path,
        )
        publisher = FolderPublisher(publication)
        self.transport.announce = publisher.wake
        return publisher
