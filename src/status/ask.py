"""Asks all sites at once; whatever goes wrong with one becomes its row."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from src.exchange.membership import Greeting
from src.exchange.transport import PeerRefused, PeerUnreachable, Transport
from src.status.asker import Asker
from src.status.card import NOT_CALLED, NOT_RUNNING, REFUSED, SILENT, Card, card_of
from src.status.last_seen import read_last_seen, remember_seen
from src.status.own_state import own_card, saved_state


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
    before = read_last_seen(asker.state_folder)
    seen = {card.site: card.seen_unix_s for card in cards if card.seen_unix_s is not None and card.site != asker.site}
    if seen:
        remember_seen(asker.state_folder, seen)
    return [_completed(asker, card, before) for card in cards]


def _ask(asker: Asker, transport: Transport | None, greeting: Greeting, site: str) -> Card:
    if transport is None or asker.addresses.get(site) is None:
        fault = "this site serves nothing" if site == asker.site else "it has no address in plan/peers.yaml"
        return Card(site=site, answer=NOT_CALLED, fault=fault)
    try:
        description = transport.describe(site, greeting, wanted_round=None, timeout_s=asker.timeout_s)
        return card_of(
            description,
            membership=asker.membership,
            roster=asker.roster,
            structures=asker.structures,
            rounds=asker.rounds,
            now_s=time.time(),
        )
    except PeerUnreachable as error:
        return Card(site=site, answer=SILENT, fault=str(error))
    except PeerRefused as refused:
        return Card(site=site, answer=REFUSED, fault=f"{refused.reason}: {refused}")


def _completed(asker: Asker, card: Card, seen_unix_s: Mapping[str, float]) -> Card:
    """With what is known of a site that did not answer."""
    if card.seen_unix_s is not None:
        return card
    if card.site != asker.site:
        return replace(card, seen_unix_s=seen_unix_s.get(card.site))
    saved = own_card(asker.site, asker.rounds, asker.state_folder, asker.log_folder)
    # Who serves nothing may be running all the same.
    return replace(saved, answer=NOT_RUNNING if card.answer == SILENT else card.answer, fault=card.fault)
