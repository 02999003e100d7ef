"""A card as a file: whose it is in front, for everybody; what it says behind, for the sites of the federation.

Byte by byte::

    7 bytes   "OARCARD"
    1 byte    version of this format, 1
    4 bytes   length of the head, unsigned, little-endian
    4 bytes   length of the signature, the same way
    …         the head: JSON in ASCII
                site           whose card it is
                certificate    its certificate, PEM
                epoch, number  of the card; later ones are larger
                recipients     site -> key (SHA-256 of its public key), wrapped (the body's key, RSA-OAEP, Base64)
                body_sha256    of the body
    …         the signature: RSA-PSS over all bytes before it but its own length
    …         the body: the card under AES-256-GCM, with a key that was drawn for it

A first card has no recipients: it brings the certificate that the others need before they can write to its site.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from src.exchange.folder.card import from_base64
from src.exchange.folder.shared_file import FileFault
from src.exchange.folder.site_keys import SiteKeys, fingerprint, is_signed, wrap
from src.exchange.strict_json import JsonFault, strict_json
from src.exchange.transport import PeerRefused

LARGEST_CARD_BYTES = 4 * 2**20
_MAGIC = b"OARCARD\x01"
_FRONT_BYTES = len(_MAGIC) + 8
_LARGEST_HEAD_BYTES, _LARGEST_SIGNATURE_BYTES = 2**20, 2**11
_DEEPEST = 3  # head, recipients, recipient
_HEAD = {"site", "certificate", "epoch", "number", "recipients", "body_sha256"}
# A key of its own for each body: no two texts meet the same nonce.
_NONCE = bytes(12)


@dataclass(frozen=True, kw_only=True)
class SignedCard:
    """A card whose signature was found good; its body is still sealed.

    Attributes:
        site: whose it is, by a certificate of our authority.
        public_key: of the site.
        epoch, number: of the card.
        recipients: site -> fingerprint of the public key it was wrapped for, and the wrapped key.
        body: encrypted.
    """

    site: str
    public_key: rsa.RSAPublicKey
    epoch: int
    number: int
    recipients: Mapping[str, tuple[str, bytes]]
    body: bytes


def sealed_card(
    content: bytes, keys: SiteKeys, recipients: Mapping[str, rsa.RSAPublicKey], *, epoch: int, number: int
) -> bytes:
    """A card's file.

    Args:
        content: what it says.
        keys: of the site whose card it is.
        recipients: who may read it.
        epoch, number: larger than those of all cards before.
    """
    label, key = _label(keys.site, epoch, number), AESGCM.generate_key(256)
    body = AESGCM(key).encrypt(_NONCE, content, label)
    head = {
        "site": keys.site,
        "certificate": keys.certificate_pem.decode("ascii"),
        "epoch": epoch,
        "number": number,
        "recipients": {
            site: {"key": fingerprint(public), "wrapped": base64.b64encode(wrap(public, key, label)).decode()}
            for site, public in recipients.items()
        },
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }
    encoded = json.dumps(head, sort_keys=True, separators=(",", ":")).encode("ascii")
    signature = keys.sign(_signed_bytes(encoded))
    return _MAGIC + len(encoded).to_bytes(4, "little") + len(signature).to_bytes(4, "little") + encoded + signature + body


def read_signed_card(content: bytes, site: str, keys: SiteKeys) -> SignedCard:
    """A card that is whole, of this site, and signed by it.

    Raises:
        FileFault: it is not whole (yet), or was changed.
        PeerRefused: ``certificate``: it is signed by somebody else.
    """
    head, encoded, signature, body = _parts(content)
    try:
        if head["site"] != site or hashlib.sha256(body).hexdigest() != head["body_sha256"]:
            raise FileFault(f"the card of {site} is not whole (yet), or was changed")
        public_key = keys.certified(head["certificate"].encode("ascii"), site)
        if not is_signed(public_key, signature, _signed_bytes(encoded)):
            raise FileFault(f"the card of {site} is not as it was signed")
        recipients = {name: (entry["key"], from_base64(entry["wrapped"])) for name, entry in head["recipients"].items()}
        epoch, number = head["epoch"], head["number"]
        if not all(type(value) is int and 0 < value < 2**53 for value in (epoch, number)):
            raise ValueError("expected whole numbers above 0")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFault(f"the card of {site} is not one of this version of openfl-oar") from error
    return SignedCard(site=site, public_key=public_key, epoch=epoch, number=number, recipients=recipients, body=body)


def opened_body(card: SignedCard, keys: SiteKeys) -> bytes:
    """What a card says, if it says it to us.

    Raises:
        FileFault: it is not for us (yet).
        PeerRefused: ``key``: the site wrapped a key that opens nothing.
    """
    theirs, wrapped = card.recipients.get(keys.site, ("", b""))
    if theirs != keys.fingerprint:
        raise FileFault(
            f"{card.site} is there, and has not read this site's certificate yet; it will once both run and the folder has "
            "carried both cards"
        )
    label = _label(card.site, card.epoch, card.number)
    try:
        return AESGCM(keys.unwrap(wrapped, label)).decrypt(_NONCE, card.body, label)
    except (InvalidTag, ValueError) as error:
        raise PeerRefused("key", f"the card of {card.site} has a key that does not open it") from error


def _parts(content: bytes) -> tuple[dict, bytes, bytes, bytes]:
    if not content.startswith(_MAGIC) or len(content) < _FRONT_BYTES:
        raise FileFault("a card does not begin as one of this version of openfl-oar does, or is not whole (yet)")
    head_bytes, signature_bytes = (int.from_bytes(content[start : start + 4], "little") for start in (8, 12))
    begin = _FRONT_BYTES + head_bytes
    if head_bytes > _LARGEST_HEAD_BYTES or signature_bytes > _LARGEST_SIGNATURE_BYTES or begin > len(content):
        raise FileFault("a card is not whole (yet), or was changed")
    encoded = content[_FRONT_BYTES:begin]
    try:
        head = strict_json(encoded, _DEEPEST)
    except JsonFault as error:
        raise FileFault("a card is not whole (yet), or was changed") from error
    if not isinstance(head, dict) or set(head) != _HEAD:
        raise FileFault(f"a card does not hold {', '.join(sorted(_HEAD))}")
    return head, encoded, content[begin : begin + signature_bytes], content[begin + signature_bytes :]


def _signed_bytes(encoded: bytes) -> bytes:
    return _MAGIC + len(encoded).to_bytes(4, "little") + encoded


def _label(site: str, epoch: int, number: int) -> bytes:
    return f"openfl-oar card {site} {epoch} {number}".encode()
