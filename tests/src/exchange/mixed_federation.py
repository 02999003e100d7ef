"""Toy sites that meet as the plan's table says: over real TLS, brought by those nobody can call, or in a folder.

Put together as ``GossipCollaborator`` puts a site together. Who cannot be called has no server at all.
"""

import threading
from contextlib import ExitStack

from experiments.federation.plan import free_ports
from src.exchange.folder.shared_folder import SharedFolder, folder_peers
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.mixed_transport import MixedTransport
from src.exchange.reachability import DIRECT, GRPC, kind_of, transport_between
from src.exchange.server import ExchangeServer
from tests.src.exchange.folder.folder_sites import RsaAuthority
from tests.src.exchange.in_memory_federation import Federation


class MixedFederation(Federation):
    """See ``Federation``; its network is there and nobody is on it.

    Args:
        settings: ``exchange`` must be given; its ``reachability`` and ``folder`` say who meets whom where.
    """

    def __init__(self, folder, roster, **settings):
        self.table, self.all_mount = settings["exchange"].reachability, settings["exchange"].folder
        self.authority, self.shared = RsaAuthority(folder / "pki"), folder / "shared"
        self.shared.mkdir()
        self.ports = dict(zip(roster, free_ports(len(roster)), strict=True))
        self.open = ExitStack()
        super().__init__(folder, roster, **settings)

    def make(self, site, **changes):
        """A site as its process would make it, serving and publishing."""
        files = self.authority.issue(site)
        calls = GrpcTransport(self._addresses(site), own=site, **files)
        self.open.callback(calls.close)
        met = folder_peers(self.roster, self.table, site, folder=self.all_mount)
        folder = SharedFolder(self.shared, own=site, peers=met, **files) if met else None
        others = [name for name in self.roster if name != site]
        transport = MixedTransport({peer: folder.transport if peer in met else calls for peer in others})
        made = super().make(site, transport=transport, **changes)
        if kind_of(self.table, site) == DIRECT:
            self._serve(made, files)
        if folder is not None:
            state_path = self.folder / site / "folder.json"
            publisher = folder.publisher(made.served, made.outbox, made.membership, epoch=made.epoch, state_path=state_path)
            publisher._pause_s = 0.02
            publisher.start()
            self.open.callback(publisher.stop, 20)
        return made

    def run(self, *sites, within_s=90):
        """Runs sites (all when none is named) to their end, each in a thread, as each would in its process."""
        threads = [threading.Thread(target=self.sites[site].run, daemon=True) for site in sites or self.roster]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(within_s)
        assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"

    def outcomes(self, site):
        """What came of the questions of a site."""
        return {event["outcome"] for event in [*self.of(site, "exchange"), *self.of(site, "closing")]}

    def _addresses(self, site):
        own = kind_of(self.table, site)
        kinds = {peer: kind_of(self.table, peer) for peer in self.roster if peer != site}
        return {
            peer: f"127.0.0.1:{self.ports[peer]}"
            if kind == DIRECT and transport_between(own, kind, folder=self.all_mount) == GRPC
            else None
            for peer, kind in kinds.items()
        }

    def _serve(self, made, files):
        address = f"127.0.0.1:{self.ports[made.site]}"
        most = dict(roster=self.roster, max_pulls=len(self.roster), may_push=made.brought_by)
        server = ExchangeServer(made.served, bind_address=address, **most, **files)
        server.start()
        self.open.callback(server.stop, 0)
