"""What a site brings: an announcement and pieces, up to the file on disk. The first part says whether the announcement is
made to fit the pieces: no fuzzer guesses a SHA-256, and what lies behind it would never be reached."""

import hashlib
import tempfile
from pathlib import Path

from google.protobuf.message import DecodeError

from src.exchange import messages, messages_pb2
from src.exchange.brought import BroughtSnapshots
from src.exchange.ledger import Ledger
from src.exchange.membership import Description, Greeting
from src.exchange.reception import Reception
from src.exchange.transport import PeerRefused
from tests.fuzz.recipe import joined, parted
from tests.fuzz.refusals import check_refusal
from tests.fuzz.small_federation import LAYOUT, MEMBERSHIP, ROSTER, described, greeting_of

CALLER = "site_b"


def seeds() -> list[bytes]:
    """One that fits, in two pieces; one that is too short; an announcement twice; no announcement."""
    pieces = [messages.data_part(data).SerializeToString() for data in (b"beginning", b"end")]
    whole = _description(b"beginningend")
    announced = messages.announcement_part(greeting_of(CALLER), whole).SerializeToString(deterministic=True)
    return [
        joined(b"\x01", announced, *pieces),
        joined(b"\x00", announced, pieces[0]),
        joined(b"\x00", announced, announced),
        joined(b"\x00", *pieces),
    ]


def check(content: bytes) -> None:
    """Exactly what was announced lies there in the end, or nothing but a beginning of it that is no longer than announced."""
    fits, *parts = [*parted(content), b""]
    try:
        messages_in = [messages_pb2.PushPart.FromString(part) for part in parts]
    except DecodeError:
        return
    with tempfile.TemporaryDirectory(prefix="fuzz-push-") as name:
        folder = Path(name)
        try:
            largest = _receive(folder, iter(messages_in), fits=fits[:1] == b"\x01")
        except PeerRefused as refused:
            check_refusal(refused)
            largest = LAYOUT.largest_snapshot_bytes
        files = [path for path in (folder / "brought" / CALLER).iterdir()] if (folder / "brought").is_dir() else []
        assert sum(path.stat().st_size for path in files) <= largest, "more lies there than was announced"
        for path in files:
            if path.suffix == ".snapshot":
                assert path.stem.endswith(hashlib.sha256(path.read_bytes()).hexdigest()), "other bytes than announced"


def _receive(folder: Path, parts, *, fits: bool) -> int:
    """As the server does it; returns the bytes that were announced."""
    greeting, description = messages.read_announcement(next(parts, None))
    if fits:
        parts = list(parts)
        description = _fitting(description, parts)
        parts = iter(parts)
    reception = _reception(folder)
    with reception.receive(CALLER, greeting, description) as arrival:
        for part in parts:
            if data := messages.read_data(part):
                arrival.append(data)
        arrival.finish()
    assert isinstance(greeting, Greeting)
    return description.size_bytes


def _fitting(description: Description, parts: list) -> Description:
    from dataclasses import replace

    data = b"".join(part.data for part in parts if part.WhichOneof("part") == "data")
    return replace(description, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data)) if data else description


def _description(data: bytes) -> Description:
    return described(CALLER, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


def _reception(folder: Path) -> Reception:
    return Reception(
        membership=MEMBERSHIP,
        roster=ROSTER,
        may_bring=[CALLER],
        ledger=Ledger(folder / "ledger.json"),
        layout=LAYOUT,
        snapshots=BroughtSnapshots(folder / "brought", [CALLER], keep=1),
    )
