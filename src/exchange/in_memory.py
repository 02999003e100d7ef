"""Peers within one process: for simulations of many sites, and for trying out what the exchange does without a network."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from src.exchange.membership import Description, Greeting
from src.exchange.spool import Spool
from src.exchange.transport import PeerRefused, PeerUnreachable, Service, check_describer, check_offer

_PIECE_BYTES = 1 << 20


class InMemoryNetwork:
    """The sites that can reach each other; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._services: dict[str, Service] = {}
        self._offline: set[str] = set()
        self._sent_bytes: Counter = Counter()

    def register(self, site: str, service: Service) -> None:
        """Brings a site in, or puts another service in its place; an offline site stays offline."""
        with self._lock:
            self._services[site] = service

    def take_offline(self, site: str) -> None:
        """The site calls nobody, and nobody reaches it, until ``bring_online``; a running pull breaks."""
        with self._lock:
            self._offline.add(site)

    def bring_online(self, site: str) -> None:
        """Ends ``take_offline``."""
        with self._lock:
            self._offline.discard(site)

    def sent_bytes(self, site: str) -> int:
        """Bytes of snapshots that a site has sent; 0 for one that nobody knows."""
        with self._lock:
            return self._sent_bytes[site]

    def reach(self, caller: str, peer: str) -> Service:
        """The service of a peer, as ``caller`` reaches it now.

        Raises:
            PeerUnreachable: one of the two is offline, or there is no such peer.
        """
        with self._lock:
            if caller in self._offline or peer in self._offline or peer not in self._services:
                raise PeerUnreachable(f"{peer} cannot be reached by {caller}")
            return self._services[peer]

    def count(self, site: str, num_bytes: int) -> None:
        """Adds to the bytes a site has sent."""
        with self._lock:
            self._sent_bytes[site] += num_bytes


class InMemoryTransport:
    """A ``Transport`` over an ``InMemoryNetwork``; what arrives on disk is checked as with any other.

    Args:
        network: shared by all sites.
        own: this site's name, which stands for its certificate.
    """

    def __init__(self, network: InMemoryNetwork, own: str) -> None:
        self._network, self._own = network, own

    def describe(self, peer: str, greeting: Greeting, *, wanted_round: int | None, timeout_s: float) -> Description:
        """See ``Transport``."""
        service = self._reach(peer, greeting)
        description = service.greet(self._own, greeting, wanted_round=wanted_round)
        check_describer(peer, description)
        return description

    def pull(self, peer: str, greeting: Greeting, description: Description, target: Path, *, timeout_s: float) -> int:
        """See ``Transport``."""
        deadline = time.monotonic() + timeout_s
        check_offer(peer, description)
        service = self._reach(peer, greeting)
        snapshot = service.open_snapshot(self._own, greeting, description.sha256)
        with Spool(target, description.sha256, description.size_bytes) as spool:
            start = spool.offset
            with snapshot.open("rb") as file:
                file.seek(start)
                while data := file.read(_PIECE_BYTES):
                    if time.monotonic() >= deadline or self._network.reach(self._own, peer) is not service:
                        raise PeerUnreachable(f"{peer}: expected {description.size_bytes} bytes in time, found {spool.offset}")
                    spool.append(data)
                    service.count_sent(self._own, len(data))
                    self._network.count(peer, len(data))
            if not spool.whole:
                raise PeerRefused("size", f"expected a snapshot of {description.size_bytes} bytes, found {spool.offset}")
            fetched_bytes = spool.offset - start
            spool.finish()
        return fetched_bytes

    def push(
        self,
        peer: str,
        greeting: Greeting,
        description: Description,
        snapshot: Path,
        *,
        timeout_s: float,
        count_sent: Callable[[int], object],
    ) -> int:
        """See ``Pusher``."""
        deadline = time.monotonic() + timeout_s
        service = self._reach(peer, greeting)
        with service.receive(self._own, greeting, description) as arrival, snapshot.open("rb") as file:
            start = arrival.offset
            file.seek(start)
            while data := file.read(_PIECE_BYTES):
                if time.monotonic() >= deadline or self._network.reach(self._own, peer) is not service:
                    raise PeerUnreachable(f"{peer}: expected to bring {description.size_bytes} bytes in time")
                arrival.append(data)
                count_sent(len(data))
                self._network.count(self._own, len(data))
            sent_bytes = arrival.offset - start
            arrival.finish()
        return sent_bytes

    def close(self) -> None:
        """See ``Transport``; there is nothing to let go of."""

    def _reach(self, peer: str, greeting: Greeting) -> Service:
        if greeting.site != self._own:
            raise PeerRefused("name", f"expected a greeting of {self._own}, found one of {greeting.site}")
        return self._network.reach(self._own, peer)
