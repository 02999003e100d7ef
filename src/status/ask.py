"""Asks all sites at once; whatever goes wrong with one becomes its row."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from src.exchange.membership import Greeting
from src.exchange.transport import PeerRefused, PeerUnreachable, Transport
from src.status.asker import Asker
from src.status.card import ANSWERED, NOT_CALLED, NOT_RUNNING, REFUSED, SILENT, Card, card_of
from src.status.indirect import card_in_folder, card_of_brought
from src.status.last_seen import read_last_seen, remember_seen
from src.status.own_state import own_card, saved_state
from src.status.took_part import read_took_part


def ask_all(asker: Asker, transport: Transport | None) -> list[Card]:
    """One card for each site of the roster, in its order; done within ``asker.timeout_s`` and a little.

    Args:
        asker: who asks.
        transport: to the addresses of ``asker``, this site's own among them; None when there are none.
    """
    # What is said of our state is true as far as we know, for older versions that remember it.
    state = saved_state(asker.state_folder, asker.rounds)
    greeting = Greeting(site=asker.site, membership=asker.membership, state=state, is_question=True)
    with ThreadPoolExecutor(len(asker.roster), thread_name_prefix="status") as threads:
        cards = list(threads.map(lambda site: _ask(asker, transport, greeting, site), asker.roster))
    took_part = read_took_part(asker.log_folder)
    before = _latest(read_last_seen(asker.state_folder), took_part.met_unix_s if took_part else {})
    seen = {card.site: card.seen_unix_s for card in cards if card.seen_unix_s is not None and card.site != asker.site}
    if seen:
        remember_seen(asker.state_folder, seen)
    return [_completed(asker, card, before) for card in cards]


def _ask(asker: Asker, transport: Transport | None, greeting: Greeting, site: str) -> Card:
    try:
        if site in asker.brought_by:
            nothing = Card(site=site, answer=NOT_CALLED, fault="by the plan it calls this site, and has brought nothing yet")
            return card_of_brought(asker, site) or nothing
        in_folder = site in asker.folder_peers
        if transport is None or (asker.addresses.get(site) is None and not (in_folder and asker.folder)):
            return Card(site=site, answer=NOT_CALLED, fault=_why_not_called(asker, site))
        description = transport.describe(site, greeting, wanted_round=None, timeout_s=asker.timeout_s)
        if in_folder:
            return card_in_folder(asker, description, time.time())
        shape = dict(roster=asker.roster, structures=asker.structures, rounds=asker.rounds)
        return card_of(description, membership=asker.membership, now_s=time.time(), **shape)
    except PeerUnreachable as error:
        return Card(site=site, answer=SILENT, fault=str(error))
    except PeerRefused as refused:
        return Card(site=site, answer=REFUSED, fault=f"{refused.reason}: {refused}")


def _why_not_called(asker: Asker, site: str) -> str:
    if site == asker.site:
        return "this site serves nothing"
    if site in asker.folder_peers:
        return "it is met in the synchronised folder, and plan/peers.yaml names none"
    return "it has no address in plan/peers.yaml" if site in asker.meets else "by the plan this site never meets it"


def _latest(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """The later of two times of each site."""
    return {site: max(table[site] for table in (first, second) if site in table) for site in {*first, *second}}


def _completed(asker: Asker, card: Card, seen_unix_s: Mapping[str, float]) -> Card:
    """With what is known of a site that did not answer."""
    if card.answer == ANSWERED:
        return card
    if card.site != asker.site:
        # A site that brings nothing new for a while may have called all the same.
        times = [time_s for time_s in (card.seen_unix_s, seen_unix_s.get(card.site)) if time_s is not None]
        return replace(card, seen_unix_s=max(times, default=None))
    saved = own_card(asker.site, asker.rounds, asker.state_folder, asker.log_folder)
    # Who serves nothing may be running all the same.
    return replace(saved, answer=NOT_RUNNING if card.answer == SILENT else card.answer, fault=card.fault)
