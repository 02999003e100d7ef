"""What a peer answers to Describe, up to its row in the status table."""

from google.protobuf.message import DecodeError

from src.exchange import messages, messages_pb2
from src.exchange.checks import check_description
from src.exchange.membership import Description, LastExchange, SiteState
from src.exchange.transport import PeerRefused
from src.status.card import card_of
from tests.fuzz.refusals import check_refusal
from tests.fuzz.small_federation import LAYOUT, MEMBERSHIP, ROSTER, STRUCTURES, described

PEER, ROUNDS = "site_b", 20


def seeds() -> list[bytes]:
    """A site that offers a snapshot, one that says everything there is to say, one that has nothing yet, nothing at all."""
    last = LastExchange(peer="site_a", outcome="received", age_s=3.5)
    talks = described(
        PEER, valid_dice={"Brainstem": 0.75}, valid_cases={"Brainstem": 2}, last_exchange=last, snapshot_age_s=1.5,
        sent_bytes=10, received_bytes=11, code_version="0.1.0", unix_time_s=1.7e9, state=SiteState.CLOSED,
    )  # fmt: skip
    silent = described(PEER, sequence=0, sha256="", size_bytes=0)
    said = [messages.description_message(one).SerializeToString(deterministic=True) for one in (described(PEER), talks, silent)]
    return [*said, b""]


def check(content: bytes) -> None:
    """A description that means the same when it is sent on, or a refusal."""
    try:
        message = messages_pb2.Description.FromString(content)
    except DecodeError:
        return
    try:
        description = messages.read_description(message)
        assert messages.read_description(messages.description_message(description)) == description, "it changes on its way"
        check_description(MEMBERSHIP, PEER, description, LAYOUT)
        _check_row(description)
    except PeerRefused as refused:
        check_refusal(refused)


def _check_row(description: Description) -> None:
    card = card_of(description, membership=MEMBERSHIP, roster=ROSTER, structures=STRUCTURES, rounds=ROUNDS, now_s=1.7e9)
    assert set(card.contoured) <= set(STRUCTURES) and card.round <= ROUNDS, "a row of another plan"
    assert card.mean_dice is None or 0 <= card.mean_dice <= 1, "an impossible mean"
