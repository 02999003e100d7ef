"""The overview as plain values, for scripts."""

from dataclasses import asdict
from datetime import datetime, timezone

from src.status.card import Card
from src.status.overview import Overview
from src.status.took_part import TookPart


def facts_of(overview: Overview) -> dict:
    """What JSON can hold; None where something is not known, times in UTC."""
    return {
        "site": overview.site,
        "federation_id": overview.federation_id,
        "run_id": overview.run_id,
        "rounds": overview.rounds,
        "time": _time(overview.unix_s),
        "missing": overview.missing,
        "lost": {site: _time(since_s) for site, since_s in overview.lost.items()},
        "took_part": _took_part(overview.took_part),
        "lacking": overview.lacking(),
        "sites": {card.site: _facts(card) for card in overview.cards},
    }


def _facts(card: Card) -> dict:
    facts = asdict(card)
    del facts["site"], facts["seen_unix_s"]
    return {**facts, "last_seen": _time(card.seen_unix_s), "mean_dice": card.mean_dice, "num_dice": len(card.valid_dice)}


def _took_part(found: TookPart | None) -> dict | None:
    if found is None:
        return None
    times = {name: {site: _time(unix_s) for site, unix_s in getattr(found, name).items()} for name in ("missing", "met_unix_s")}
    return {"present": found.present, "missing": times["missing"], "unknown": found.unknown, "met_at": times["met_unix_s"]}


def _time(unix_s: float | None) -> str | None:
    return None if unix_s is None else datetime.fromtimestamp(unix_s, timezone.utc).isoformat(timespec="seconds")
