"""A card as it lies in the folder. By the first part: a file that anybody put there, or one that a member signed.

Names in a head stand for what is drawn anew at each start: ``@certificate``, ``@reader`` (fingerprint of the reader's key),
``@wrapped`` (the body's key, wrapped for the reader), ``@sha256`` (of the body).
"""

import base64
import hashlib
import json
from functools import cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from src.exchange.folder.card import read_card
from src.exchange.folder.card_file import opened_body, read_signed_card, sealed_card
from src.exchange.folder.shared_file import FileFault
from src.exchange.folder.site_keys import wrap
from src.exchange.transport import PeerRefused
from tests.fuzz.folder_keys import site_keys
from tests.fuzz.recipe import joined, parted
from tests.fuzz.refusals import check_refusal, check_sentence
from tests.fuzz.targets import card_body

READER, WRITER = "site_a", "site_b"
_MAGIC, _LABEL, _KEY = b"OARCARD\x01", b"openfl-oar card site_b 1 1", bytes(range(32))
_ANYBODY, _MEMBER = b"\x00", b"\x01"


def seeds() -> list[bytes]:
    """A member's card, the same without recipients, and files that are none."""
    recipients = {READER: {"key": "@reader", "wrapped": "@wrapped"}}
    head = dict(site=WRITER, certificate="@certificate", epoch=1, number=1, recipients=recipients, body_sha256="@sha256")
    body = parted(card_body.seeds()[0])[0]
    return [
        joined(_MEMBER, json.dumps(head).encode(), body),
        joined(_MEMBER, json.dumps({**head, "recipients": {}}).encode(), body),
        joined(_ANYBODY, _MAGIC),
        joined(_ANYBODY, _MAGIC + bytes([2, 0, 0, 0, 1, 0, 0, 0]) + b"{}s"),
    ]


def fresh_seeds() -> list[bytes]:
    """An honest file, as it lies in the folder; another one at each start."""
    return [joined(_ANYBODY, honest_file())]


def check(content: bytes) -> None:
    """Refused, or not there yet, or what the member said; who is no member cannot make it say anything else."""
    who, *parts = [*parted(content), b"", b"", b""]
    file = parts[0] if who[:1] != _MEMBER else _signed(parts[0], parts[1])
    try:
        signed = read_signed_card(file, WRITER, site_keys(READER))
        body = opened_body(signed, site_keys(READER))
        if who[:1] != _MEMBER:
            assert body == parted(card_body.seeds()[0])[0], "somebody without a key made a card say something else"
        read_card(body, WRITER)
    except FileFault as fault:
        check_sentence(str(fault))
    except PeerRefused as refused:
        check_refusal(refused)


@cache
def honest_file() -> bytes:
    """Signed and sealed as a site does it."""
    recipients = {READER: _public_key(READER)}
    return sealed_card(parted(card_body.seeds()[0])[0], site_keys(WRITER), recipients, epoch=1, number=1)


def _signed(head: bytes, body: bytes) -> bytes:
    """A file with a good signature of the member, whatever it signs."""
    sealed = AESGCM(_KEY).encrypt(bytes(12), body, _LABEL)
    for name, value in {**_stable_names(), b"@sha256": hashlib.sha256(sealed).hexdigest().encode()}.items():
        head = head.replace(name, value)
    front = _MAGIC + len(head).to_bytes(4, "little")
    signature = site_keys(WRITER).sign(front + head)
    return front + len(signature).to_bytes(4, "little") + head + signature + sealed


@cache
def _stable_names() -> dict[bytes, bytes]:
    certificate = json.dumps(site_keys(WRITER).certificate_pem.decode())[1:-1].encode()
    wrapped = base64.b64encode(wrap(_public_key(READER), _KEY, _LABEL))
    return {b"@certificate": certificate, b"@reader": site_keys(READER).fingerprint.encode(), b"@wrapped": wrapped}


def _public_key(site: str):
    return site_keys(READER).certified(site_keys(site).certificate_pem, site)
