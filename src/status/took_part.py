"""Who took part in this site's run so far, as its process wrote it down: ``participation.json`` beside the metrics."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from src.exchange.participation import FILE_NAME, read_manifest

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TookPart:
    """What the run knew of its peers after its last exchange; times in seconds since 1970, by this machine's clock.

    Attributes:
        present: sites that gave a sign of life when they were last asked, this one included.
        missing: sites that were asked since in vain -> since when they are missing.
        unknown: sites that were neither asked nor heard of.
        met_unix_s: when each site last gave a sign of life; not there for who never did.
    """

    present: tuple[str, ...]
    missing: Mapping[str, float]
    unknown: tuple[str, ...]
    met_unix_s: Mapping[str, float]


def read_took_part(log_folder: Path) -> TookPart | None:
    """Of this site; None when its run has not exchanged yet, or when the file cannot be read, which is said in the log."""
    try:
        manifest = read_manifest(log_folder / FILE_NAME)
        if manifest is None:
            return None
        return TookPart(
            present=tuple(manifest["present"]),
            missing={entry["site"]: _unix_s(entry["since"]) for entry in manifest["missing"]},
            unknown=tuple(manifest["unknown"]),
            # Not written by versions before this one.
            met_unix_s={site: _unix_s(text) for site, text in manifest.get("met_at", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("who took part so far is not shown: %s cannot be read (%s)", FILE_NAME, type(error).__name__)
        return None


def _unix_s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
