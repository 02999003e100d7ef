"""What a site has in the folder: sealed snapshots first, then the card that announces them, then nothing that is outdated."""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from src.exchange.folder.card import Card, Offer, card_bytes
from src.exchange.folder.card_file import LARGEST_CARD_BYTES, SignedCard, read_signed_card, sealed_card
from src.exchange.folder.sealed_model import Seal, seal, seal_name, sealed_bytes
from src.exchange.folder.seals import Seals
from src.exchange.folder.shared_file import FileFault, card_name, model_name, own_files, read_plain, write_shared
from src.exchange.folder.site_keys import SiteKeys, fingerprint, wrap
from src.exchange.membership import Description, Greeting, Membership, SiteState
from src.exchange.transport import PeerRefused, Service

# Sent bytes are counted under this name: a file is written once, whoever reads it.
SENT_TO = "folder"
_REFRESH_S = 60.0  # ages in a description grow; and a card that somebody removed comes back
# Entries of a description that a card is written anew for; the others decide nothing.
_TELLING = ("site", "membership", "state", "round", "epoch", "sequence", "sha256", "seen_epoch", "seen_sequence")


class FolderPublication:
    """A site's files in the folder; for one thread.

    Args:
        service: the site.
        rounds: the rounds of which there is a snapshot; beside the newest, these are offered.
        folder: the synchronised one; need not be there all the time.
        keys: of this site.
        peers: who may read; at least one.
        membership: own.
        epoch: of this site.
        state_path: a file for what must survive a restart.
    """

    def __init__(
        self,
        service: Service,
        rounds: Callable[[], Iterable[int]],
        *,
        folder: Path,
        keys: SiteKeys,
        peers: Collection[str],
        membership: Membership,
        epoch: int,
        state_path: Path,
    ) -> None:
        if not peers:
            raise ValueError("expected at least one peer to publish for")
        self._service, self._rounds, self._folder, self._keys = service, rounds, Path(folder), keys
        self._peers, self._membership, self._epoch = sorted(peers), membership, epoch
        self._seals = Seals(Path(state_path))
        self._wrapped: dict[tuple[str, str], bytes] = {}
        self._published: tuple = ()
        self._published_at = 0.0

    def renew(self) -> bool:
        """Puts into the folder what is new; says whether a card was written.

        Raises:
            OSError: the folder is gone, full, or refuses; the next time may be better.
            FileFault: a snapshot of the outbox was spoiled.
            PeerRefused: a snapshot of the outbox is no longer offered; the next time there is another.
        """
        recipients, described, offered = self._recipients(), self._described(), self._offered()
        if self._facts(recipients, described, offered) == self._published and not self._is_stale():
            return False
        seals = {description.sha256: self._sealed(description) for description in offered}
        offers = tuple(self._offer(description, seals[description.sha256], recipients) for description in offered)
        self._write_card(described, offers, recipients)
        self._published, self._published_at = self._facts(recipients, described, offered), time.monotonic()
        self._delete_old(offered, seals)
        return True

    def _is_stale(self) -> bool:
        return time.monotonic() - self._published_at >= _REFRESH_S

    def _facts(self, recipients: dict, described: dict[str, Description], offered: list[Description]) -> tuple:
        """What a card is written anew for."""
        told = [tuple(getattr(description, name) for name in _TELLING) for description in described.values()]
        there = [(description.sha256, self._is_there(description)) for description in offered]
        return told, there, {peer: fingerprint(key) for peer, key in recipients.items()}

    # Whom and what.

    def _recipients(self) -> dict[str, rsa.RSAPublicKey]:
        """Public keys of the peers whose certificate is there and good."""
        found = {}
        for peer in self._peers:
            try:
                found[peer] = self._card_of(peer).public_key
            except (FileFault, PeerRefused):
                continue  # who asks it hears why; it is looked at again soon
        return found

    def _card_of(self, site: str) -> SignedCard:
        return read_signed_card(read_plain(self._folder / card_name(site), LARGEST_CARD_BYTES), site, self._keys)

    def _described(self) -> dict[str, Description]:
        """What each peer is told of this site and its newest snapshot."""
        return {peer: self._service.greet(peer, self._question(peer), wanted_round=None) for peer in self._peers}

    def _offered(self) -> list[Description]:
        """A description of each snapshot, the newest among them."""
        anybody, wanted = self._peers[0], [*sorted(self._rounds()), None]
        found = [self._service.greet(anybody, self._question(anybody), wanted_round=number) for number in wanted]
        return list({description.sha256: description for description in found if description.sequence}.values())

    def _question(self, peer: str) -> Greeting:
        return Greeting(site=peer, membership=self._membership, state=SiteState.TRAINING, is_question=True)

    # Snapshots.

    def _path_of(self, description: Description) -> Path:
        return self._folder / model_name(self._keys.site, description.epoch, description.sequence)

    def _is_there(self, description: Description) -> bool:
        """Whether the encrypted file is in its place; one of another size is written again."""
        try:
            found = self._path_of(description).lstat()
        except OSError:
            return False
        return found.st_size == sealed_bytes(description.size_bytes)

    def _sealed(self, description: Description) -> Seal:
        known = self._seals.of(description.sha256)
        if known is not None and self._is_there(description):
            return known
        anybody, sha256, size_bytes = self._peers[0], description.sha256, description.size_bytes
        source = self._service.open_snapshot(anybody, self._question(anybody), sha256)
        name = seal_name(self._keys.site, description)
        made = seal(source, self._path_of(description), sha256=sha256, size_bytes=size_bytes, name=name)
        self._service.count_sent(SENT_TO, sealed_bytes(size_bytes))
        self._seals.note(sha256, made)
        return made

    def _offer(self, description: Description, sealed: Seal, recipients: dict[str, rsa.RSAPublicKey]) -> Offer:
        label = seal_name(self._keys.site, description).encode()
        return Offer(
            round=description.snapshot_round,
            epoch=description.epoch,
            sequence=description.sequence,
            sha256=description.sha256,
            size_bytes=description.size_bytes,
            sealed_sha256=sealed.sealed_sha256,
            keys={peer: self._wrap(sealed, public_key, label) for peer, public_key in recipients.items()},
        )

    def _wrap(self, sealed: Seal, public_key: rsa.RSAPublicKey, label: bytes) -> bytes:
        name = (sealed.sealed_sha256, fingerprint(public_key))
        if name not in self._wrapped:
            self._wrapped[name] = wrap(public_key, sealed.key, label)
        return self._wrapped[name]

    def _delete_old(self, offered: list[Description], seals: dict[str, Seal]) -> None:
        """Removes what the card no longer announces; of this site's own files alone."""
        self._seals.keep_only(seals)
        digests = {sealed.sealed_sha256 for sealed in seals.values()}
        self._wrapped = {name: key for name, key in self._wrapped.items() if name[0] in digests}
        kept = {self._path_of(description) for description in offered}
        for path in own_files(self._folder, self._keys.site):
            if path not in kept:
                path.unlink(missing_ok=True)

    # The card.

    def _write_card(
        self, described: dict[str, Description], offers: tuple[Offer, ...], recipients: dict[str, rsa.RSAPublicKey]
    ) -> None:
        anybody = replace(described[self._peers[0]], seen_epoch=0, seen_sequence=0)
        seen = {peer: (description.seen_epoch, description.seen_sequence) for peer, description in described.items()}
        number = self._seals.next_number(self._number_before() + 1)
        content = card_bytes(Card(description=anybody, seen=seen, offers=offers))
        card = sealed_card(content, self._keys, recipients, epoch=self._epoch, number=number)
        if len(card) > LARGEST_CARD_BYTES:
            raise FileFault(f"the card has {len(card)} bytes, readers take {LARGEST_CARD_BYTES}: too much is offered")
        write_shared(self._folder / card_name(self._keys.site), [card])

    def _number_before(self) -> int:
        """Of our own card in the folder: who lost the file of numbers need not begin with 1 again."""
        try:
            card = self._card_of(self._keys.site)
        except (FileFault, PeerRefused):
            return 0
        return card.number if card.epoch == self._epoch else 0
