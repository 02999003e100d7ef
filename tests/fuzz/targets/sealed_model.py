"""An encrypted snapshot as it lies in the folder. Parts: how long its card says it is, whether a member or anybody wrote it,
the file."""

import hashlib
import tempfile
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from src.exchange.folder.sealed_model import Seal, seal, unseal
from src.exchange.folder.shared_file import FileFault
from src.exchange.spool import Spool
from src.exchange.transport import PeerRefused
from tests.fuzz.recipe import joined, parted
from tests.fuzz.refusals import check_refusal, check_sentence

PLAIN, NAME = bytes(range(200)), "openfl-oar model site_b 1 4"
_KEY = bytes(range(32))
_NONCE = bytes(11) + b"\x01"


def seeds() -> list[bytes]:
    """A member's whole file, a longer one, an empty one."""
    return [
        joined(len(PLAIN).to_bytes(2, "little"), b"\x01", PLAIN),
        joined((len(PLAIN) - 1).to_bytes(2, "little"), b"\x01", PLAIN),
        joined(b"\x01\x00", b"\x00", b""),
    ]


def fresh_seeds() -> list[bytes]:
    """The honest file, under a key that is drawn at each start."""
    return [joined(len(PLAIN).to_bytes(2, "little"), b"\x00", _honest()[1])]


def check(content: bytes) -> None:
    """Not there (yet), refused, or exactly what the card announces; anybody else's file is the honest one."""
    told, who, file, *_ = [*parted(content), b"", b"", b""]
    size_bytes = max(1, int.from_bytes(told[:2], "little"))
    is_member = who[:1] == b"\x01"
    announced, sha256 = (size_bytes, hashlib.sha256(file).hexdigest()) if is_member else (len(PLAIN), _sha256())
    if is_member:
        file = AESGCM(_KEY).encrypt(_NONCE, file, NAME.encode())
    seal_of = Seal(key=_KEY, sealed_sha256=hashlib.sha256(file).hexdigest()) if is_member else _honest()[0]
    with tempfile.TemporaryDirectory(prefix="fuzz-sealed-") as name:
        source, target = Path(name) / "sealed", Path(name) / "snapshot"
        source.write_bytes(file)
        try:
            with Spool(target, sha256, announced) as spool:
                unseal(source, spool, seal_of, size_bytes=announced, name=NAME, check=lambda: None)
                spool.finish()
        except FileFault as fault:
            check_sentence(str(fault))
        except PeerRefused as refused:
            check_refusal(refused)
        else:
            assert hashlib.sha256(target.read_bytes()).hexdigest() == sha256, "another snapshot than announced"
            assert is_member or file == _honest()[1], "another file was taken for the honest one"


@cache
def _honest() -> tuple[Seal, bytes]:
    with tempfile.TemporaryDirectory(prefix="fuzz-sealed-") as name:
        plain, sealed = Path(name) / "plain", Path(name) / "sealed"
        plain.write_bytes(PLAIN)
        made = seal(plain, sealed, sha256=_sha256(), size_bytes=len(PLAIN), name=NAME)
        return made, sealed.read_bytes()


def _sha256() -> str:
    return hashlib.sha256(PLAIN).hexdigest()
