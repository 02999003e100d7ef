"""Between the exchange's dataclasses and its messages; whatever arrives is checked entry by entry.

What an entry means (is this our federation, have we seen this snapshot) is not judged here; only that it can be handled: every
text is short and printable, every number is in range, every state is known.
"""

import math
import string
from collections.abc import Callable, Mapping

from src.exchange import messages_pb2
from src.exchange.membership import Description, Greeting, LastExchange, Membership, SiteState
from src.exchange.transport import PeerRefused

MAX_TEXT = 200  # characters; a name of a plan with its hash is the longest there is
MAX_STRUCTURES = 1000
MAX_SNAPSHOT_BYTES = 1 << 40
MAX_TRAFFIC_BYTES = 1 << 60
MAX_AGE_S = 1e10  # beyond what a clock that begins in 1970 can make
MAX_UNIX_TIME_S = 1e11

_TEXTS = ("federation_id", "run_id", "roster_digest", "architecture_hash", "initial_digest")
_NUMBERS = ("round", "epoch", "sequence", "snapshot_round", "seen_epoch", "seen_sequence")
_STATES = {
    SiteState.TRAINING: messages_pb2.TRAINING,
    SiteState.FINISHED: messages_pb2.FINISHED,
    SiteState.CLOSED: messages_pb2.CLOSED,
}
_STATE_OF = {number: state for state, number in _STATES.items()}


def describe_request(greeting: Greeting, wanted_round: int | None) -> messages_pb2.DescribeRequest:
    """The message that asks for a description; ``wanted_round`` None asks for the newest snapshot."""
    return messages_pb2.DescribeRequest(greeting=_greeting_message(greeting), wanted_round=wanted_round)


def read_describe_request(message: messages_pb2.DescribeRequest) -> tuple[Greeting, int | None]:
    """The greeting and the wanted round.

    Raises:
        PeerRefused: an entry cannot be used.
    """
    wanted_round = _whole("wanted_round", message.wanted_round) if message.HasField("wanted_round") else None
    return _greeting(message.greeting), wanted_round


def pull_request(greeting: Greeting, sha256: str, offset: int) -> messages_pb2.PullRequest:
    """The message that asks for a snapshot's bytes from ``offset`` on."""
    return messages_pb2.PullRequest(greeting=_greeting_message(greeting), sha256=sha256, offset=offset)


def read_pull_request(message: messages_pb2.PullRequest) -> tuple[Greeting, str, int]:
    """The greeting, the snapshot's digest in hex, and the offset in bytes.

    Raises:
        PeerRefused: an entry cannot be used.
    """
    offset = _whole("offset", message.offset, MAX_SNAPSHOT_BYTES)
    return _greeting(message.greeting), _sha256(message.sha256), offset


def description_message(description: Description) -> messages_pb2.Description:
    """The message that answers ``describe``."""
    numbers = {name: getattr(description, name) for name in _NUMBERS}
    return messages_pb2.Description(
        site=description.site,
        membership=_membership_message(description.membership),
        state=_STATES[description.state],
        sha256=description.sha256,
        size_bytes=description.size_bytes,
        train_cases=description.train_cases,
        valid_dice=description.valid_dice,
        valid_cases=description.valid_cases,
        last_exchange=_last_exchange_message(description.last_exchange),
        code_version=description.code_version,
        **{name: getattr(description, name) for name in ("snapshot_age_s", "sent_bytes", "received_bytes", "unix_time_s")},
        **numbers,
    )


def read_description(message: messages_pb2.Description) -> Description:
    """A peer's description of itself.

    Raises:
        PeerRefused: an entry cannot be used, or sequence, digest and size do not agree on whether there is a snapshot.
    """
    numbers = {name: _whole(name, getattr(message, name)) for name in _NUMBERS}
    size_bytes = _whole("size_bytes", message.size_bytes, MAX_SNAPSHOT_BYTES)
    if numbers["sequence"]:
        _sha256(message.sha256)
    if not bool(numbers["sequence"]) == bool(message.sha256) == bool(size_bytes):
        raise _malformed("sequence, sha256 and size_bytes", "all of a snapshot or none", "some of them")
    return Description(
        site=_text("site", message.site),
        membership=_membership(message.membership),
        state=_state(message.state),
        sha256=message.sha256,
        size_bytes=size_bytes,
        train_cases=_table("train_cases", message.train_cases, _whole),
        **_for_people(message),
        **numbers,
    )


def announcement_part(greeting: Greeting, description: Description) -> messages_pb2.PushPart:
    """The first message of a push: who brings which snapshot."""
    announcement = messages_pb2.Announcement(greeting=_greeting_message(greeting), description=description_message(description))
    return messages_pb2.PushPart(announcement=announcement)


def read_announcement(message: messages_pb2.PushPart | None) -> tuple[Greeting, Description]:
    """What a push begins with; None when it ended before.

    Raises:
        PeerRefused: it is no announcement, or an entry cannot be used.
    """
    kind = None if message is None else message.WhichOneof("part")
    if kind != "announcement":
        raise _malformed("push", "an announcement first", kind or "nothing")
    return _greeting(message.announcement.greeting), read_description(message.announcement.description)


def data_part(data: bytes) -> messages_pb2.PushPart:
    """A later message of a push: the bytes that come next."""
    return messages_pb2.PushPart(data=data)


def read_data(message: messages_pb2.PushPart) -> bytes:
    """The bytes that a later message of a push carries.

    Raises:
        PeerRefused: it is none of those.
    """
    if message.WhichOneof("part") != "data":
        raise _malformed("push", "bytes after the announcement", message.WhichOneof("part") or "nothing")
    return message.data


def push_answer(offset: int) -> messages_pb2.PushAnswer:
    """Says how many bytes of an announced snapshot are here."""
    return messages_pb2.PushAnswer(offset=offset)


def read_push_answer(message: messages_pb2.PushAnswer, size_bytes: int) -> int:
    """How many bytes of a snapshot of ``size_bytes`` are there.

    Raises:
        PeerRefused: more than it has.
    """
    return _whole("offset", message.offset, size_bytes)


def _greeting_message(greeting: Greeting) -> messages_pb2.Greeting:
    membership = _membership_message(greeting.membership)
    state = _STATES[greeting.state]
    return messages_pb2.Greeting(site=greeting.site, membership=membership, state=state, is_question=greeting.is_question)


def _last_exchange_message(last: LastExchange | None) -> messages_pb2.LastExchange | None:
    return None if last is None else messages_pb2.LastExchange(peer=last.peer, outcome=last.outcome, age_s=last.age_s)


def _membership_message(membership: Membership) -> messages_pb2.Membership:
    texts = {name: getattr(membership, name) for name in _TEXTS}
    return messages_pb2.Membership(protocol_version=membership.protocol_version, **texts)


def _greeting(message: messages_pb2.Greeting) -> Greeting:
    membership = _membership(message.membership)
    site, state = _text("site", message.site), _state(message.state)
    return Greeting(site=site, membership=membership, state=state, is_question=message.is_question)


def _membership(message: messages_pb2.Membership) -> Membership:
    texts = {name: _text(name, getattr(message, name)) for name in _TEXTS}
    return Membership(protocol_version=_whole("protocol_version", message.protocol_version), **texts)


def _state(number: int) -> SiteState:
    if number not in _STATE_OF:
        raise _malformed("state", "training, finished or closed", f"number {number}")
    return _STATE_OF[number]


def _for_people(message: messages_pb2.Description) -> dict:
    """What an older site does not say: absent entries are empty or None."""

    def if_there(name: str, read: Callable, highest: float) -> float | int | None:
        return read(name, getattr(message, name), highest) if message.HasField(name) else None

    return {
        "valid_dice": _table("valid_dice", message.valid_dice, _number),
        "valid_cases": _table("valid_cases", message.valid_cases, _whole),
        "last_exchange": _last_exchange(message.last_exchange) if message.HasField("last_exchange") else None,
        "snapshot_age_s": if_there("snapshot_age_s", _number, MAX_AGE_S),
        "sent_bytes": if_there("sent_bytes", _whole, MAX_TRAFFIC_BYTES),
        "received_bytes": if_there("received_bytes", _whole, MAX_TRAFFIC_BYTES),
        "code_version": _text("code_version", message.code_version) if message.code_version else "",
        "unix_time_s": if_there("unix_time_s", _number, MAX_UNIX_TIME_S),
    }


def _last_exchange(message: messages_pb2.LastExchange) -> LastExchange:
    peer, outcome = (_text(f"last_exchange.{name}", getattr(message, name)) for name in ("peer", "outcome"))
    return LastExchange(peer=peer, outcome=outcome, age_s=_number("last_exchange.age_s", message.age_s, MAX_AGE_S))


def _table(name: str, table: Mapping, read: Callable) -> dict:
    if len(table) > MAX_STRUCTURES:
        raise _malformed(name, f"at most {MAX_STRUCTURES} structures", str(len(table)))
    return {_text(name, structure): read(name, value) for structure, value in table.items()}


def _text(name: str, value: str) -> str:
    if not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise _malformed(name, f"1 to {MAX_TEXT} printable characters", f"{value!r:.60}")
    return value


def _sha256(value: str) -> str:
    if len(value) != 64 or not set(value) <= set(string.digits + "abcdef"):
        raise _malformed("sha256", "64 hexadecimal digits", f"{value!r:.80}")
    return value


def _whole(name: str, value: int, highest: int = 2**31 - 1) -> int:
    if not 0 <= value <= highest:
        raise _malformed(name, f"0 to {highest}", str(value))
    return value


def _number(name: str, value: float, highest: float = 1.0) -> float:
    if not (math.isfinite(value) and 0 <= value <= highest):
        raise _malformed(name, f"a number from 0 to {highest:g}", f"{value:g}")
    return value


def _malformed(name: str, expected: str, found: str) -> PeerRefused:
    return PeerRefused("message", f"{name}: expected {expected}, found {found}")
