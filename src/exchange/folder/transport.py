"""Reads what peers left in the folder; a ``Transport`` like any other.

What is not there, not whole, changed by somebody or not for us makes a peer unreachable: the right file may be on its way. What
a peer has signed and cannot be used is refused.
"""

import time
from collections.abc import Callable
from pathlib import Path

from src.exchange.checks import check_greeting
from src.exchange.folder.card import Card, Offer, read_card
from src.exchange.folder.card_file import LARGEST_CARD_BYTES, opened_body, read_signed_card
from src.exchange.folder.patience import PatientCalls
from src.exchange.folder.sealed_model import KEY_BYTES, Seal, seal_name, unseal
from src.exchange.folder.shared_file import FileFault, card_name, model_name, read_plain
from src.exchange.folder.site_keys import SiteKeys
from src.exchange.membership import Description, Greeting
from src.exchange.spool import Spool
from src.exchange.transport import PeerRefused, PeerUnreachable, check_describer, check_offer


class FolderTransport:
    """A ``Transport`` over a folder that every site of it mounts; for any thread.

    Args:
        folder: the synchronised one; need not be there all the time.
        keys: of this site.
    """

    def __init__(self, folder: Path, keys: SiteKeys) -> None:
        self._folder, self._keys = Path(folder), keys
        self._calls = PatientCalls()
        self._newest: dict[str, tuple[int, int]] = {}
        self._cards: dict[str, Card] = {}
        # What this site says of itself should be there before it asks others; whoever runs a publisher sets it.
        self.announce: Callable[[], object] = lambda: None

    def describe(self, peer: str, greeting: Greeting, *, wanted_round: int | None, timeout_s: float) -> Description:
        """See ``Transport``."""
        self._check_own(greeting)
        self.announce()
        card = self._calls.call(lambda: self._card(peer), timeout_s)
        told = card.description
        check_describer(peer, told)
        # As the peer would turn us away, were it to answer itself.
        check_greeting(greeting.membership, [peer], peer, Greeting(site=peer, membership=told.membership, state=told.state))
        return card.answer(self._keys.site, wanted_round)

    def pull(self, peer: str, greeting: Greeting, description: Description, target: Path, *, timeout_s: float) -> int:
        """See ``Transport``; the bytes are those of the snapshot, not of the encrypted file."""
        self._check_own(greeting)
        check_offer(peer, description)
        deadline = time.monotonic() + timeout_s

        def check() -> None:
            if time.monotonic() >= deadline:
                raise PeerUnreachable(f"{peer}: expected {description.size_bytes} bytes in time; what came is kept")

        return self._calls.call(lambda: self._pull(peer, description, target, check), timeout_s)

    def close(self) -> None:
        """See ``Transport``; there is nothing to let go of."""

    def _check_own(self, greeting: Greeting) -> None:
        if greeting.site != self._keys.site:
            raise PeerRefused("name", f"expected a greeting of {self._keys.site}, found one of {greeting.site}")

    def _card(self, peer: str) -> Card:
        try:
            signed = read_signed_card(read_plain(self._folder / card_name(peer), LARGEST_CARD_BYTES), peer, self._keys)
            body = opened_body(signed, self._keys)
        except FileFault as fault:
            raise PeerUnreachable(f"{peer}: {fault}") from fault
        found, newest = (signed.epoch, signed.number), self._newest.get(peer, (0, 0))
        if found < newest:
            raise PeerUnreachable(
                f"{peer}: the folder shows card {found}, {newest} was there before: it is behind, or that site lost its state "
                "folder and has to raise its epoch"
            )
        card = read_card(body, peer)
        self._newest[peer], self._cards[peer] = found, card
        return card

    def _pull(self, peer: str, description: Description, target: Path, check: Callable[[], None]) -> int:
        offer = self._offer(peer, description)
        name = seal_name(peer, description)
        if self._keys.site not in offer.keys:
            raise PeerUnreachable(f"{peer} has not wrapped the key of this snapshot for this site yet")
        key = self._keys.unwrap(offer.keys[self._keys.site], name.encode())
        if len(key) != KEY_BYTES:
            raise PeerRefused("key", f"expected a key of {KEY_BYTES} bytes from {peer}, found {len(key)}")
        seal = Seal(key=key, sealed_sha256=offer.sealed_sha256)
        source = self._folder / model_name(peer, offer.epoch, offer.sequence)
        check()
        try:
            with Spool(target, description.sha256, description.size_bytes) as spool:
                fetched_bytes = _fill(source, spool, seal, description, name, check)
                spool.finish()
        except FileFault as fault:
            raise PeerUnreachable(f"{peer}: {fault}") from fault
        return fetched_bytes

    def _offer(self, peer: str, description: Description) -> Offer:
        card = self._cards.get(peer) or self._card(peer)
        found = next((offer for offer in card.offers if offer.sha256 == description.sha256), None)
        if found is None:
            raise PeerRefused("gone", "the snapshot is no longer offered; ask for the newest")
        if found.size_bytes != description.size_bytes:
            raise PeerRefused("size", f"expected a snapshot of {description.size_bytes} bytes, found {found.size_bytes}")
        if (found.epoch, found.sequence) != (description.epoch, description.sequence):
            raise PeerRefused("replay", f"{peer} offers these bytes under other numbers than it was asked for")
        return found


def _fill(source: Path, spool: Spool, seal: Seal, description: Description, name: str, check: Callable[[], None]) -> int:
    """Decrypts what a spool lacks; returns the bytes that came."""
    unseal(source, spool, seal, size_bytes=description.size_bytes, name=name, check=check)
    if spool.resumed_bytes and not spool.digest_fits():
        # Not the peer's fault: after a power failure the kept part may be other than what once arrived.
        spool.restart()
        unseal(source, spool, seal, size_bytes=description.size_bytes, name=name, check=check)
    return spool.offset - spool.resumed_bytes
