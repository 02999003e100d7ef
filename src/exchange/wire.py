"""What both ends of a gRPC connection agree on beside the messages: sizes, signs of life, and how a refusal travels."""

import json
import re

import grpc

from src.exchange.transport import PeerRefused

# Of 64 KiB to 2 MiB the fastest with TLS and hashing, and small enough that little is lost when a connection breaks.
PIECE_BYTES = 256 * 1024
MAX_DESCRIPTION_BYTES = 256 * 1024
MAX_REQUEST_BYTES = 64 * 1024
PUSH_PIECE_BYTES = 48 * 1024  # what a site takes from strangers is smaller than what it asks for
MAX_REFUSAL_CHARACTERS = 500

_REASON_KEY = "refusal-reason"
_BUSY = "busy"
_CHECKS_KEY = "certificate-checks"
_REASON = re.compile(r"[a-z][a-z0-9_-]{0,39}")

_BOTH_ENDS = [
    # A connection whose other end is gone without a word is found out within half a minute.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # gRPC limits the size of a message before it is unpacked: a megabyte can become a gigabyte. So nothing is unpacked.
    ("grpc.per_message_decompression", 0),
    ("grpc.compression_enabled_algorithms_bitset", 1),
]

SERVER_OPTIONS = [
    *_BOTH_ENDS,
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_concurrent_streams", 8),
    ("grpc.so_reuseport", 0),  # else a second server on the same port takes half of the calls, and nobody is told
]

_DESCRIBE_LIMIT = {
    "name": [{"service": "openfl_oar.exchange.Exchange", "method": "Describe"}],
    "maxResponseMessageBytes": MAX_DESCRIPTION_BYTES,
}

CHANNEL_OPTIONS = [
    *_BOTH_ENDS,
    ("grpc.max_receive_message_length", PIECE_BYTES + 1024),
    ("grpc.service_config", json.dumps({"methodConfig": [_DESCRIBE_LIMIT]})),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),  # the certificate is checked on a connection of our own, which knows no proxy either
    ("grpc.use_local_subchannel_pool", 1),  # a new channel is a new connection, without the old one's waiting times
    ("grpc.client_idle_timeout_ms", 30_000),  # a firewall forgets an idle connection without telling either end
]


def printable(text: str) -> str:
    """A text from elsewhere, fit for a log: one line, at most ``MAX_REFUSAL_CHARACTERS``."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:MAX_REFUSAL_CHARACTERS])


def send_refusal(context: grpc.ServicerContext, refused: PeerRefused) -> None:
    """Ends a call with a refusal; never returns."""
    context.set_trailing_metadata(((_REASON_KEY, _known_form(refused.reason)),))
    context.abort(grpc.StatusCode.PERMISSION_DENIED, printable(str(refused)))


def read_refusal(error: grpc.RpcError) -> PeerRefused | None:
    """The refusal that a failed call brought; None when it failed otherwise."""
    metadata = error.trailing_metadata() or ()
    reasons = [value for key, value in metadata if key == _REASON_KEY]
    if not reasons:
        return None
    return PeerRefused(_known_form(reasons[0]), printable(error.details() or "no reason given"))


def send_busy(context: grpc.ServicerContext) -> None:
    """Ends a call that may be tried again soon; never returns."""
    context.abort(grpc.StatusCode.UNAVAILABLE, _BUSY)


def is_busy(error: grpc.RpcError) -> bool:
    """Whether a failed call was ended by ``send_busy``."""
    return error.code() is grpc.StatusCode.UNAVAILABLE and error.details() == _BUSY


def checks_metadata(checks: int) -> tuple[tuple[str, str], ...]:
    """Tells a server how many connections were opened only to look at its certificate."""
    return ((_CHECKS_KEY, str(checks)),) if checks else ()


def read_checks(context: grpc.ServicerContext) -> int:
    """What ``checks_metadata`` told; 0 when nothing was."""
    told = dict(context.invocation_metadata()).get(_CHECKS_KEY, "0")
    return int(told) if isinstance(told, str) and re.fullmatch("[0-9]{1,3}", told) else 0


def _known_form(reason: object) -> str:
    return reason if isinstance(reason, str) and _REASON.fullmatch(reason) else "refused"
