"""What all answers come to: who is missing, and who holds patients of a structure that this site lacks."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.status.asker import Asker
from src.status.card import REFUSED, SILENT, Card


@dataclass(frozen=True, kw_only=True)
class Overview:
    """How the federation stands at one moment.

    Attributes:
        site: who asked.
        federation_id, run_id: as in ``Membership``.
        rounds: of the plan.
        structures: of the plan, in channel order.
        unix_s: this machine's clock, seconds since 1970.
        cards: of all sites, the asking one among them.
    """

    site: str
    federation_id: str
    run_id: str
    rounds: int
    structures: tuple[str, ...]
    unix_s: float
    cards: tuple[Card, ...]

    @property
    def missing(self) -> list[str]:
        """Peers that were called and gave no answer that can be used."""
        return [card.site for card in self.cards if card.answer in (SILENT, REFUSED) and card.site != self.site]

    @property
    def exit_code(self) -> int:
        """0 when every peer that can be called answered, 1 when one did not."""
        return 1 if self.missing else 0

    def lacking(self) -> dict[str, dict[str, int]] | None:
        """Per structure without a training case at this site, the others' training cases by site, none left out.

        None when this site's own cases are not known: it has neither run nor published anything yet.
        """
        (own,) = (card for card in self.cards if card.site == self.site)
        if not own.train_cases:
            return None
        return {
            name: {
                card.site: card.train_cases[name]
                for card in self.cards
                if card.site != self.site and card.train_cases.get(name)
            }
            for name in self.structures
            if not own.train_cases.get(name)
        }


def overview_of(asker: Asker, cards: Sequence[Card], unix_s: float) -> Overview:
    """Of the cards of ``ask_all``."""
    return Overview(
        site=asker.site,
        federation_id=asker.membership.federation_id,
        run_id=asker.membership.run_id,
        rounds=asker.rounds,
        structures=asker.structures,
        unix_s=unix_s,
        cards=tuple(cards),
    )
