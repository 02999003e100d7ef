"""One transport for a site whose peers are reached in different ways."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from src.exchange.membership import Description, Greeting
from src.exchange.transport import PeerUnreachable, Transport


class MixedTransport:
    """A ``Transport`` that hands each call to the one its peer is reached by.

    Args:
        peers: peer -> its transport; the same one for any number of them.
    """

    def __init__(self, peers: Mapping[str, Transport]) -> None:
        self._peers = dict(peers)

    def describe(self, peer: str, greeting: Greeting, *, wanted_round: int | None, timeout_s: float) -> Description:
        """See ``Transport``."""
        return self._of(peer).describe(peer, greeting, wanted_round=wanted_round, timeout_s=timeout_s)

    def pull(self, peer: str, greeting: Greeting, description: Description, target: Path, *, timeout_s: float) -> int:
        """See ``Transport``."""
        return self._of(peer).pull(peer, greeting, description, target, timeout_s=timeout_s)

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
        """See ``Pusher``; only for peers whose transport is one."""
        transport = self._of(peer)
        return transport.push(peer, greeting, description, snapshot, timeout_s=timeout_s, count_sent=count_sent)

    def close(self) -> None:
        """See ``Transport``; each is closed once, also when another cannot be."""
        with ExitStack() as stack:
            for transport in {id(transport): transport for transport in self._peers.values()}.values():
                stack.callback(transport.close)

    def _of(self, peer: str) -> Transport:
        if peer not in self._peers:
            raise PeerUnreachable(f"{peer} can be reached neither by a call nor through a folder from here")
        return self._peers[peer]
