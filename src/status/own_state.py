"""How this site stood when it last wrote something down: for a site that is not running, or that serves nothing.

The files are another process's, who may be at work on them: they are only read, and one that is replaced meanwhile is passed
over.
"""

import json
import logging
import re
import time
from pathlib import Path

from safetensors import SafetensorError, safe_open

from src.exchange.manifest import Manifest
from src.exchange.membership import SiteState
from src.exchange.snapshot_envelope import read_envelope
from src.exchange.snapshot_fault import SnapshotFault
from src.status.card import NOT_RUNNING, Card

logger = logging.getLogger(__name__)

# As ``checkpoint``, ``outbox`` and ``brought`` name them.
_CHECKPOINTS = ("checkpoint.safetensors", "checkpoint.before.safetensors")
_SNAPSHOT = re.compile(r"epoch(\d+)-sequence(\d+)-round\d+(-[0-9a-f]{64})?\.snapshot")  # a brought one has its digest


def own_card(site: str, rounds: int, state_folder: Path, log_folder: Path) -> Card:
    """The card of this site from its files.

    Args:
        site: its name.
        rounds: of the plan.
        state_folder, log_folder: of the site; a site that has not begun has neither.
    """
    saved = saved_round(state_folder)
    found = newest_snapshot(state_folder / "outbox")
    events = read_events(log_folder / "metrics.jsonl")
    exchanges = [event for event in events if event.get("phase") in ("exchange", "closing", "push")]
    last = exchanges[-1] if exchanges else {}
    manifest, age_s = found if found else (None, None)
    dice = manifest.valid_dice if manifest else {}
    return Card(
        site=site,
        answer=NOT_RUNNING,
        state=_state(*saved, rounds).value if saved else None,
        round=saved[0] if saved else None,
        last_peer=last.get("peer"),
        last_outcome=last.get("outcome"),
        snapshot_age_s=age_s,
        train_cases=dict(manifest.train_cases) if manifest else {},
        valid_cases=dict(manifest.valid_cases) if manifest else {},
        valid_dice={name: value for name, value in dice.items() if value is not None},
        # An exchange that a restart repeated from disk fetched nothing again.
        received_bytes=sum(event.get("received_bytes", 0) for event in events if not event.get("replayed")) if events else None,
        sent_bytes=sum(event.get("sent_bytes", 0) for event in events) if events else None,
        code_version=manifest.code_version if manifest else "",
    )


def saved_round(state_folder: Path) -> tuple[int, bool] | None:
    """Rounds done and whether the run is closed, as the newest checkpoint says; None when there is none that can be read."""
    for name in _CHECKPOINTS:
        try:
            with safe_open(str(state_folder / "checkpoint" / name), framework="pt") as file:
                facts = json.loads((file.metadata() or {})["facts"])
            return int(facts["round"]), bool(facts["closed"])
        except FileNotFoundError:
            continue
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s cannot be read (%s)", name, type(error).__name__)
    return None


def saved_state(state_folder: Path, rounds: int) -> SiteState:
    """Where a site is in its run, as far as it has written it down."""
    saved = saved_round(state_folder)
    return _state(*saved, rounds) if saved else SiteState.TRAINING


def read_events(path: Path) -> list[dict]:
    """The complete lines of a ``metrics.jsonl``; none when there is no such file. What is no event is passed over."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError:
        return []
    events = []
    for line in lines:
        try:
            event = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def newest_snapshot(folder: Path) -> tuple[Manifest, float] | None:
    """What the newest snapshot of a folder says of itself, and its age in seconds by the file's date; None without one."""
    names = [match for match in map(_SNAPSHOT.fullmatch, _listed(folder)) if match]
    for match in sorted(names, key=lambda match: (int(match[1]), int(match[2])), reverse=True):
        path = folder / match[0]
        try:
            with path.open("rb") as file:
                manifest = read_envelope(file, None).manifest
            return manifest, max(0.0, time.time() - path.stat().st_mtime)
        except (OSError, SnapshotFault) as error:
            logger.warning("%s cannot be read (%s)", path.name, type(error).__name__)
    return None


def _state(round_number: int, closed: bool, rounds: int) -> SiteState:
    if closed:
        return SiteState.CLOSED
    return SiteState.TRAINING if round_number < rounds else SiteState.FINISHED


def _listed(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []
