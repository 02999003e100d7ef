"""What a site says through the folder: its description, and every snapshot it offers; as bytes and back, each entry checked."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from google.protobuf.message import DecodeError

from src.exchange import messages, messages_pb2
from src.exchange.membership import Description
from src.exchange.strict_json import JsonFault, strict_json
from src.exchange.transport import PeerRefused

_DEEPEST = 4  # card, offers, offer, keys
_DIGEST = re.compile("[0-9a-f]{64}")
_OFFER = {"round", "epoch", "sequence", "sha256", "size_bytes", "sealed_sha256", "keys"}
_MOST_WRAPPED_BYTES = 1024


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A snapshot in the folder.

    Attributes:
        round: rounds of training behind it.
        epoch, sequence: its numbers.
        sha256, size_bytes: of the snapshot.
        sealed_sha256: of its encrypted file.
        keys: recipient -> the snapshot's key, wrapped for it.
    """

    round: int
    epoch: int
    sequence: int
    sha256: str
    size_bytes: int
    sealed_sha256: str
    keys: Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a site says.

    Attributes:
        description: of itself and its newest snapshot; to nobody in particular.
        seen: recipient -> epoch and sequence of the newest this site has seen of it.
        offers: the snapshots that can be had, the newest among them.
    """

    description: Description
    seen: Mapping[str, tuple[int, int]]
    offers: tuple[Offer, ...]

    def answer(self, reader: str, wanted_round: int | None) -> Description:
        """What the site would answer to ``describe``; see ``Transport``."""
        seen_epoch, seen_sequence = self.seen.get(reader, (0, 0))
        told = replace(self.description, seen_epoch=seen_epoch, seen_sequence=seen_sequence)
        if wanted_round is None:
            return told
        of_round = [offer for offer in self.offers if offer.round == wanted_round]
        if not of_round:
            return replace(told, epoch=1, sequence=0, snapshot_round=0, sha256="", size_bytes=0)
        found = max(of_round, key=lambda offer: (offer.epoch, offer.sequence))
        return replace(
            told,
            epoch=found.epoch,
            sequence=found.sequence,
            snapshot_round=found.round,
            sha256=found.sha256,
            size_bytes=found.size_bytes,
        )


def card_bytes(card: Card) -> bytes:
    """A card as JSON in ASCII; the description within is the message that gRPC would carry."""
    message = messages.description_message(card.description).SerializeToString(deterministic=True)
    content = {
        "description": base64.b64encode(message).decode(),
        "seen": {site: list(numbers) for site, numbers in card.seen.items()},
        "offers": [
            {**vars(offer), "keys": {site: base64.b64encode(key).decode() for site, key in offer.keys.items()}}
            for offer in card.offers
        ],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")


def read_card(content: bytes, site: str) -> Card:
    """The card in authentic bytes of a site.

    Raises:
        PeerRefused: ``message``: the site spells it otherwise than this version of openfl-oar.
    """
    try:
        decoded = strict_json(content, _DEEPEST)
        if not isinstance(decoded, dict) or set(decoded) != {"description", "seen", "offers"}:
            raise ValueError("it does not hold description, seen and offers")
        message = messages_pb2.Description.FromString(from_base64(decoded["description"]))
        seen = {_text(name): _numbers(numbers) for name, numbers in _mapping(decoded["seen"]).items()}
        offers = tuple(_offer(entry) for entry in _list(decoded["offers"]))
        return Card(description=messages.read_description(message), seen=seen, offers=offers)
    except (JsonFault, DecodeError, ValueError) as error:
        raise PeerRefused("message", f"the card of {site} is not one of this version of openfl-oar ({error!s:.120})") from error


def from_base64(value: object) -> bytes:
    """The bytes behind a text.

    Raises:
        ValueError: it is none, or not spelled as Base64 is.
    """
    if not isinstance(value, str):
        raise ValueError("expected Base64")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("expected Base64") from error


def _offer(entry: object) -> Offer:
    if not isinstance(entry, dict) or set(entry) != _OFFER:
        raise ValueError(f"expected offers with {', '.join(sorted(_OFFER))}")
    whole = {name: _whole(entry[name], lowest) for name, lowest in (("round", 0), ("epoch", 1), ("sequence", 1))}
    keys = {_text(name): from_base64(key) for name, key in _mapping(entry["keys"]).items()}
    if any(len(key) > _MOST_WRAPPED_BYTES for key in keys.values()):
        raise ValueError("a wrapped key is too long")
    size_bytes = _whole(entry["size_bytes"], 1, messages.MAX_SNAPSHOT_BYTES)
    digests = {name: _digest(entry[name]) for name in ("sha256", "sealed_sha256")}
    return Offer(size_bytes=size_bytes, keys=keys, **whole, **digests)


def _numbers(value: object) -> tuple[int, int]:
    epoch, sequence = _list(value)  # of another length: a ValueError
    return _whole(epoch, 0), _whole(sequence, 0)


def _whole(value: object, lowest: int, highest: int = 2**31 - 1) -> int:
    if type(value) is not int or not lowest <= value <= highest:
        raise ValueError(f"expected a whole number from {lowest} to {highest}, found {value!r:.40}")
    return value


def _digest(value: object) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ValueError("expected a SHA-256 in small hex digits")
    return value


def _text(value: str) -> str:
    if not 0 < len(value) <= messages.MAX_TEXT or not value.isprintable():
        raise ValueError("expected short printable names")
    return value


def _mapping(value: object) -> dict:
    if not isinstance(value, dict):
        raise ValueError("expected a table")
    return value


def _list(value: object) -> list:
    if not isinstance(value, list):
        raise ValueError("expected a list")
    return value
