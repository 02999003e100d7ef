"""When each peer last gave a status of this site a sign of life, in a small file of its state folder.

By this machine's clock; the time of a card in the folder is its site's own, and never later than now.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from src.errors import OarError
from src.exchange.strict_json import JsonFault, strict_json
from src.exchange.whole_file import write_whole

logger = logging.getLogger(__name__)

_FILE = "last_seen.json"
_LARGEST_BYTES = 2**20
_LATEST_S = 1e11


def read_last_seen(state_folder: Path) -> dict[str, float]:
    """Seconds since 1970 by site; none when nothing was remembered, or when it cannot be read, which is said in the log."""
    path = state_folder / _FILE
    try:
        with path.open("rb") as file:
            content = strict_json(file.read(_LARGEST_BYTES), 1)
    except FileNotFoundError:
        return {}
    except (OSError, JsonFault) as error:
        logger.warning("who answered when is forgotten: %s cannot be read (%s)", _FILE, error)
        return {}
    table = content if isinstance(content, dict) else {}
    return {site: float(value) for site, value in table.items() if _is_time(value)}


def remember_seen(state_folder: Path, seen_unix_s: Mapping[str, float]) -> None:
    """Adds to what is remembered; a disk that refuses is said in the log, and the answers are shown all the same."""
    table = {**read_last_seen(state_folder), **seen_unix_s}
    lines = ",\n".join(f' "{site}": {table[site]:.0f}' for site in sorted(table))
    try:
        write_whole(state_folder / _FILE, [f"{{\n{lines}\n}}\n".encode()])
    except (OSError, OarError) as error:
        logger.warning("who answered now cannot be remembered: %s", error)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LATEST_S
