"""What a caller asks: the first part chooses between Describe and Pull, the second is the message."""

from google.protobuf.message import DecodeError

from src.exchange import messages, messages_pb2
from src.exchange.checks import check_greeting
from src.exchange.transport import PeerRefused
from tests.fuzz.recipe import joined, parted
from tests.fuzz.refusals import check_refusal
from tests.fuzz.small_federation import MEMBERSHIP, ROSTER, greeting_of

CALLER = "site_b"
_KINDS = (
    (messages_pb2.DescribeRequest, messages.read_describe_request, messages.describe_request),
    (messages_pb2.PullRequest, messages.read_pull_request, messages.pull_request),
)


def seeds() -> list[bytes]:
    """Each question with and without what it may leave out."""
    greeting = greeting_of(CALLER)
    asked = [messages.describe_request(greeting, number) for number in (None, 3)]
    pulled = [messages.pull_request(greeting, "c" * 64, offset) for offset in (0, 2**30)]
    return [
        joined(bytes([kind]), message.SerializeToString(deterministic=True))
        for kind, some in enumerate((asked, pulled))
        for message in some
    ]


def check(content: bytes) -> None:
    """A question that means the same when it is sent on, or a refusal."""
    which, said, *_ = [*parted(content), b"", b""]
    kind, read, write = _KINDS[which[:1] == b"\x01"]
    try:
        found = read(kind.FromString(said))
        assert read(write(*found)) == found, "it changes on its way"
        check_greeting(MEMBERSHIP, ROSTER, CALLER, found[0])
    except DecodeError:
        return
    except PeerRefused as refused:
        check_refusal(refused)
