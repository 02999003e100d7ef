"""What a member of the federation signs and seals in its card: authentic, and for all that perhaps malicious."""

from src.exchange.folder.card import Card, Offer, card_bytes, read_card
from src.exchange.transport import PeerRefused
from tests.fuzz.recipe import joined, parted
from tests.fuzz.refusals import check_refusal
from tests.fuzz.small_federation import described

SITE = "site_b"


def seeds() -> list[bytes]:
    """A card with two offers, and one with nothing yet."""
    offers = tuple(
        Offer(
            round=number, epoch=1, sequence=number, sha256=f"{number}" * 64, size_bytes=300, sealed_sha256="d" * 64,
            keys={"site_a": b"wrapped", "site_c": b"too"},
        )
        for number in (3, 4)
    )  # fmt: skip
    nothing = Card(description=described(SITE, sequence=0, sha256="", size_bytes=0), seen={}, offers=())
    return [
        joined(card_bytes(card))
        for card in (Card(description=described(SITE), seen={"site_a": (1, 2)}, offers=offers), nothing)
    ]


def check(content: bytes) -> None:
    """A card that means the same when it is written again and that can answer, or a refusal."""
    said = b"".join(parted(content)[:1])
    try:
        card = read_card(said, SITE)
    except PeerRefused as refused:
        check_refusal(refused)
        return
    assert read_card(card_bytes(card), SITE) == card, "it changes when it is written again"
    for wanted_round in (None, 3, 4):
        answer = card.answer("site_a", wanted_round)
        assert bool(answer.sequence) == bool(answer.sha256) == bool(answer.size_bytes), "half an offer"
