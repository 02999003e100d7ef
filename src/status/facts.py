"""The overview as plain values, for scripts."""

from dataclasses import asdict
from datetime import datetime, timezone

from src.status.card import Card
from src.status.overview import Overview


def facts_of(overview: Overview) -> dict:
    """What JSON can hold; None where something is not known, times in UTC."""
    return {
        "site": overview.site,
        "federation_id": overview.federation_id,
        "run_id": overview.run_id,
        "rounds": overview.rounds,
        "time": _time(overview.unix_s),
        "missing": overview.missing,
        "lacking": overview.lacking(),
        "sites": {card.site: _facts(card) for card in overview.cards},
    }


def _facts(card: Card) -> dict:
    facts = asdict(card)
    del facts["site"], facts["seen_unix_s"]
    return {**facts, "last_seen": _time(card.seen_unix_s), "mean_dice": card.mean_dice, "num_dice": len(card.valid_dice)}


def _time(unix_s: float | None) -> str | None:
    return None if unix_s is None else datetime.fromtimestamp(unix_s, timezone.utc).isoformat(timespec="seconds")
