"""What all answers come to: who is missing, and who holds patients of a structure that this site lacks."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.exchange.membership import SiteState
from src.status.asker import Asker
from src.status.card import ANSWERED, REFUSED, SILENT, Card
from src.status.took_part import TookPart, read_took_part


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
        took_part: what this site's run knew of the others after its last exchange; None before that.
        missing_after_s: without a sign of life from a site, before that is said loudly.
    """

    site: str
    federation_id: str
    run_id: str
    rounds: int
    structures: tuple[str, ...]
    unix_s: float
    cards: tuple[Card, ...]
    took_part: TookPart | None = None
    missing_after_s: float = float("inf")

    @property
    def missing(self) -> list[str]:
        """Peers that were called and gave no answer that can be used."""
        return [card.site for card in self.cards if card.answer in (SILENT, REFUSED) and card.site != self.site]

    @property
    def lost(self) -> dict[str, float]:
        """Sites without a sign of life for longer than ``missing_after_s`` -> since when, seconds since 1970.

        However they are reached. One that has done its rounds is no loss, nor is anybody to a site that is closed itself; one
        that was never heard of counts from when this site began to wait for it.
        """
        waited_for = self.took_part.missing if self.took_part else {}
        if self._own.state == SiteState.CLOSED.value:
            return {}
        silent = [card for card in self.cards if card.site != self.site and card.answer != ANSWERED]
        training = [card for card in silent if card.state in (None, SiteState.TRAINING.value)]
        since = {card.site: waited_for.get(card.site) if card.seen_unix_s is None else card.seen_unix_s for card in training}
        lost = {site: since_s for site, since_s in since.items() if since_s is not None}
        return {site: since_s for site, since_s in lost.items() if self.unix_s - since_s > self.missing_after_s}

    @property
    def exit_code(self) -> int:
        """0 when every peer that can be called answered and nobody is lost, else 1."""
        return 1 if self.missing or self.lost else 0

    def lacking(self) -> dict[str, dict[str, int]] | None:
        """Per structure without a training case at this site, the others' training cases by site, none left out.

        None when this site's own cases are not known: it has neither run nor published anything yet.
        """
        own = self._own
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

    @property
    def _own(self) -> Card:
        return next(card for card in self.cards if card.site == self.site)


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
        took_part=read_took_part(asker.log_folder),
        missing_after_s=asker.missing_after_s,
    )
