"""What a site can do with a peer, whatever lies between them."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from src.exchange.membership import Description, Greeting


class PeerUnreachable(Exception):
    """No answer in time: not there, not yet or no more; worth another try at the next exchange."""


class PeerRefused(Exception):
    """An answer that cannot be used: wrong identity, another federation, a snapshot that is not what it says.

    Args:
        reason: one word for the metrics, such as ``certificate``, ``federation``, ``architecture``, ``replay``, ``shape``.
        message: what was expected, what was found.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Transport(Protocol):
    """The caller's side of an exchange.

    Every method raises:
        PeerUnreachable: nothing usable arrived within the time given; never waits longer.
        PeerRefused: the peer is not who it should be, or turned us away.
    """

    def describe(self, peer: str, greeting: Greeting, *, wanted_round: int | None, timeout_s: float) -> Description:
        """Asks a peer for itself and its newest snapshot, or for the snapshot of one round."""

    def pull(self, peer: str, greeting: Greeting, description: Description, target: Path, *, timeout_s: float) -> int:
        """Fetches the described snapshot into ``target``, which then holds exactly the bytes whose SHA-256 was described.

        What is on disk beside ``target`` of an earlier, broken pull of the same snapshot is taken up, not fetched again; a
        connection that breaks is taken up within the time given.

        Returns:
            The bytes that were fetched now.
        """

    def close(self) -> None:
        """Lets go of connections."""


class Pusher(Transport, Protocol):
    """A transport that can also bring; what an outbound site has to its direct peers."""

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
        """Brings the described snapshot, the bytes of a file, to a peer; what is there of an earlier try is not sent again.

        Args:
            count_sent: takes the size of each piece that was handed over.

        Returns:
            The bytes that were sent now, 0 when the peer has it already.
        """


class Arriving(Protocol):
    """A snapshot on its way in; a context manager that keeps what has come.

    Attributes:
        offset: bytes that are here.
    """

    @property
    def offset(self) -> int: ...

    def append(self, data: bytes) -> None:
        """Adds what came next; raises PeerRefused when that is more than was announced."""

    def finish(self) -> None:
        """Puts it in place; raises PeerRefused when it is not what was announced."""

    def __enter__(self) -> "Arriving": ...

    def __exit__(self, *error) -> None: ...


def check_describer(peer: str, description: Description) -> None:
    """For every transport: whether a description is of the peer that was asked.

    Raises:
        PeerRefused: ``name``.
    """
    if description.site != peer:
        raise PeerRefused("name", f"expected a description of {peer}, found one of {description.site}")


def check_offer(peer: str, description: Description) -> None:
    """For every transport: whether there is anything to pull.

    Raises:
        PeerRefused: ``absent``.
    """
    if not description.sequence:
        raise PeerRefused("absent", f"{peer} offers no snapshot")


class Service(Protocol):
    """The served side: what a server or the in-memory network asks of a site; called from any thread."""

    def greet(self, caller: str, greeting: Greeting, *, wanted_round: int | None) -> Description:
        """Answers ``describe``.

        Args:
            caller: the certified name.

        Raises:
            PeerRefused: the caller is turned away.
        """

    def open_snapshot(self, caller: str, greeting: Greeting, sha256: str) -> Path:
        """The file of an offered snapshot; immutable, and kept until it is long outdated.

        Raises:
            PeerRefused: the caller is turned away, or there is no such snapshot.
        """

    def count_sent(self, caller: str, num_bytes: int) -> None:
        """Adds to the bytes sent to a caller."""

    def receive(self, caller: str, greeting: Greeting, description: Description) -> Arriving:
        """Makes ready for a snapshot that a caller brings because nobody can call it.

        Raises:
            PeerRefused: the caller is turned away, or what it announces cannot be used.
        """
