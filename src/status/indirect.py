"""What is known of a site that cannot be called: its card in the synchronised folder, or the snapshot it brought here.

Neither is an answer: the site may have ended since. So each says how old it is.
"""

import time
from dataclasses import replace

from src.exchange.membership import Description, SiteState
from src.exchange.transport import check_describer
from src.status.asker import Asker
from src.status.card import BROUGHT, IN_FOLDER, Card, card_of
from src.status.own_state import newest_snapshot


def card_in_folder(asker: Asker, description: Description, now_s: float) -> Card:
    """The card of a site as it stood when it wrote to the folder.

    Args:
        asker: who asks.
        description: what the file says; its time is the other site's clock.
        now_s: this machine's clock, seconds since 1970.

    Raises:
        PeerRefused: as ``card_of``.
    """
    written_s = now_s if description.unix_time_s is None else min(now_s, description.unix_time_s)
    return _aged(_card(asker, description, now_s), IN_FOLDER, now_s, now_s - written_s)


def card_of_brought(asker: Asker, site: str) -> Card | None:
    """The card of a site by what its newest snapshot here says of itself; None when it has brought none.

    Raises:
        PeerRefused: as ``card_of``; ``name``: it is another site's.
    """
    found = newest_snapshot(asker.state_folder / "brought" / site)
    if found is None:
        return None
    manifest, age_s = found
    ids = {name: getattr(manifest, name) for name in ("federation_id", "run_id", "architecture_hash")}
    description = Description(
        site=manifest.site,
        membership=replace(asker.membership, **ids),
        state=SiteState.FINISHED if manifest.final else SiteState.TRAINING,
        round=manifest.round,
        epoch=manifest.epoch,
        sequence=manifest.sequence,
        snapshot_round=manifest.round,
        sha256="",
        size_bytes=0,
        train_cases=manifest.train_cases,
        valid_cases=manifest.valid_cases,
        valid_dice={name: value for name, value in manifest.valid_dice.items() if value is not None},
        snapshot_age_s=0.0,
        code_version=manifest.code_version,
    )
    # Who may bring is certified; what the snapshot says is not.
    check_describer(site, description)
    return _aged(_card(asker, description, time.time()), BROUGHT, time.time(), age_s)


def _card(asker: Asker, description: Description, now_s: float) -> Card:
    shape = dict(roster=asker.roster, structures=asker.structures, rounds=asker.rounds)
    return card_of(description, membership=asker.membership, now_s=now_s, **shape)


def _aged(card: Card, answer: str, now_s: float, age_s: float) -> Card:
    """As it stood ``age_s`` seconds ago."""
    older = {name: value + age_s for name in ("snapshot_age_s", "last_age_s") if (value := getattr(card, name)) is not None}
    return replace(card, answer=answer, seen_unix_s=now_s - age_s, **older)
