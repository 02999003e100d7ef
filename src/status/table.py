"""The overview for people: who is where, what each contoured and how well it is found, who has what this site lacks."""

from collections.abc import Sequence
from datetime import datetime, timezone

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from src.status.card import ANSWERED, BROUGHT, IN_FOLDER, Card
from src.status.overview import Overview
from src.status.took_part import TookPart

_BYTES_PER_MB = 1e6
_NONE = "-"
_LONGEST_OUTCOME = 20
_SEEN = {IN_FOLDER: "as its card said", BROUGHT: "as it last called"}
_AGES = ((86400 * 2, 86400, "d"), (3600 * 2, 3600, "h"), (120, 60, "min"), (0, 1, "s"))


def shown(overview: Overview, *, plain: bool) -> RenderableType:
    """Two tables and a line for each thing that is missing.

    Args:
        overview: of this moment.
        plain: without lines and colours, for a file.
    """
    when = datetime.fromtimestamp(overview.unix_s, timezone.utc)
    title = f"{overview.federation_id}, {overview.run_id}, seen from {overview.site} at {when:%Y-%m-%d %H:%M:%S} UTC"
    below = Text("\ntraining cases, validation Dice (validation cases)")
    return Group(Text(title), _sites(overview, plain), below, _structures(overview, plain), Text(), *_lines(overview))


def age(seconds: float | None) -> str:
    """A time span in one unit, rounded down; a dash for None."""
    if seconds is None:
        return _NONE
    return next(f"{seconds // unit:.0f} {name}" for from_s, unit, name in _AGES if seconds >= from_s)


def _table(plain: bool, first: str, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(box=None if plain else box.ROUNDED)
    for name in (first, *left, *right):
        # A narrow terminal breaks lines, and loses nothing.
        table.add_column(Text(name), no_wrap=plain, overflow="fold", justify="right" if name in right else "left")
    return table


def _sites(overview: Overview, plain: bool) -> Table:
    numbers = ("age", "contoured", "Dice (n)", "MB out", "MB in")
    table = _table(plain, "site", ("state", "round", "last exchange"), numbers)
    for card in overview.cards:
        name = f"{card.site} (here)" if card.site == overview.site else card.site
        # As texts, in which nothing that a peer says is taken for markup.
        table.add_row(*map(Text, (name, *_row(card, overview))), style="" if card.answer == ANSWERED or plain else "yellow")
    return table


def _row(card: Card, overview: Overview) -> tuple[str, ...]:
    return (
        card.state if card.answer == ANSWERED else f"{card.answer}{f' ({card.state})' if card.state else ''}",
        _NONE if card.round is None else f"{card.round}/{overview.rounds}",
        _last_exchange(card),
        age(card.snapshot_age_s),
        f"{len(card.contoured)}/{len(overview.structures)}" if card.train_cases else _NONE,
        _NONE if card.mean_dice is None else f"{card.mean_dice:.3f} ({len(card.valid_dice)})",
        _megabytes(card.sent_bytes),
        _megabytes(card.received_bytes),
    )


def _last_exchange(card: Card) -> str:
    if card.last_peer is None:
        return _NONE
    ago = "" if card.last_age_s is None else f", {age(card.last_age_s)} ago"
    return f"{card.last_peer}: {card.last_outcome or _NONE:.{_LONGEST_OUTCOME}}{ago}"


def _megabytes(num_bytes: int | None) -> str:
    return _NONE if num_bytes is None else f"{num_bytes / _BYTES_PER_MB:.2f}"


def _structures(overview: Overview, plain: bool) -> Table:
    table = _table(plain, "structure", (), [card.site for card in overview.cards])
    for name in overview.structures:
        table.add_row(Text(name), *(_cell(card, name) for card in overview.cards))
    return table


def _cell(card: Card, structure: str) -> str:
    cases = card.train_cases.get(structure)
    dice = card.valid_dice.get(structure)
    if cases is None and dice is None:
        return _NONE
    found = _NONE if dice is None else f"{dice:.2f} ({card.valid_cases.get(structure, _NONE)})"
    return f"{_NONE if cases is None else cases}, {found}"


def _lines(overview: Overview) -> list[Text]:
    lines = [f"{card.site}: {_absence(card, overview)}" for card in overview.cards if card.answer != ANSWERED]
    lacking = overview.lacking()
    if lacking is None:
        lines.append(f"What {overview.site} lacks is not known before it runs.")
    elif lacking:
        found = "; ".join(f"{name}: {_holders(holders)}" for name, holders in lacking.items())
        lines.append(f"No training patients at {overview.site}, training patients at others: {found}")
    lost = [f"{site} IS MISSING: {_lost(since_s, overview)}" for site, since_s in overview.lost.items()]
    return [Text(line) for line in [*lines, *_took_part(overview.took_part)]] + [Text(line, style="bold red") for line in lost]


def _took_part(found: TookPart | None) -> list[str]:
    if found is None:
        return []
    gone = [f"{site} missing since {_when(since_s)}" for site, since_s in found.missing.items()]
    others = [*gone, *(f"{site} not heard of yet" for site in found.unknown)]
    return [f"The run's last exchange: present {', '.join(found.present)}{'; ' if others else ''}{', '.join(others)}."]


def _lost(since_s: float, overview: Overview) -> str:
    gone = f"no sign of life since {_when(since_s)}, for {age(overview.unix_s - since_s)}"
    return f"{gone}; ask that site whether its process runs, the run goes on without it"


def _when(unix_s: float) -> str:
    return f"{datetime.fromtimestamp(unix_s, timezone.utc):%Y-%m-%d %H:%M} UTC"


def _holders(holders: dict[str, int]) -> str:
    return ", ".join(f"{site} {cases}" for site, cases in holders.items()) or "nobody who answered"


def _absence(card: Card, overview: Overview) -> str:
    if card.site == overview.site:
        return f"{card.answer}, shown as last saved ({card.fault})"
    if card.seen_unix_s is None:
        since = "no sign of life so far"
    else:
        ago = age(max(0.0, overview.unix_s - card.seen_unix_s))
        since = f"{_SEEN.get(card.answer, 'last sign of life')} {ago} ago, {_when(card.seen_unix_s)}"
    return "; ".join(filter(None, (card.answer, since, card.fault)))
