"""Toy sites that share nothing but a folder: each with its publisher and its reader, as a site's process has them."""

import threading

from src.exchange.folder.publication import FolderPublication
from src.exchange.folder.publisher import FolderPublisher
from src.exchange.folder.transport import FolderTransport
from tests.src.exchange.in_memory_federation import ROSTER, Federation

_PAUSE_S = 0.02


class FolderFederation(Federation):
    """See ``Federation``; its network is there and nobody is on it.

    Args:
        keys: of each site, see ``SiteKeys``.
    """

    def __init__(self, folder, keys, roster=ROSTER, **settings):
        self.shared, self.keys = folder / "shared", keys
        self.publications, self.publishers, self.started = {}, {}, set()
        self.shared.mkdir(parents=True)
        super().__init__(folder, roster, **settings)

    def make(self, site, **changes):
        """A site as its process would make it; made again, its publisher is another too."""
        made = super().make(site, **changes)
        if made.fetcher is not None:
            self.leave(site)
            made.transport = made.fetcher.transport = FolderTransport(self.shared, self.keys[site])
            self.publications[site] = FolderPublication(
                made.served,
                made.outbox.rounds,
                folder=self.shared,
                keys=self.keys[site],
                peers=[name for name in self.roster if name != site],
                membership=made.membership,
                epoch=made.epoch,
                state_path=self.folder / site / "folder.json",
            )
            self.publishers[site] = FolderPublisher(self.publications[site], _PAUSE_S)
            made.transport.announce = self.publishers[site].wake
        return made

    def start(self, site):
        """Begins to publish for a site."""
        self.started.add(site)
        self.publishers[site].start()

    def leave(self, site):
        """Ends what publishes for a site, if it has begun."""
        if site in self.started:
            self.started.remove(site)
            self.publishers[site].stop(10)

    def settle(self):
        """Without threads: until all have published what is new, and for whom."""
        for _ in range(2):
            for publication in self.publications.values():
                publication.renew()

    def run(self, *sites, within_s=60):
        """Runs sites (all when none is named) to their end, each in a thread, as each would in its process."""
        threads = [threading.Thread(target=self.run_one, args=[site], daemon=True) for site in sites or self.roster]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(within_s)
        assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"

    def run_one(self, site):
        """One site to its end."""
        self.start(site)
        self.sites[site].run()
        self.leave(site)
