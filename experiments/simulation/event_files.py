"""The sites' ``metrics.jsonl`` of a run that is taken up: without what is about to be done again."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from src.exchange.whole_file import write_whole


def keep_events(path: Path, is_kept: Callable[[dict], bool]) -> None:
    """Drops events from a file, and a last line that was not written to its end; a file that is not there stays so."""
    if not path.is_file():
        return
    content = path.read_bytes()
    lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
    write_whole(path, [line for line in lines if is_kept(json.loads(line))])


def unreported_bytes(events: Mapping[str, list[dict]]) -> dict[str, Counter]:
    """What each site sent and has not yet said so: it says so in its next event.

    Args:
        events: kept ones, by site; of peers that pull from each other.

    Returns:
        By sender and receiver, bytes above 0.
    """
    unreported = {site: Counter() for site in events}
    for receiver, rows in events.items():
        for event in rows:
            if event.get("received_bytes"):
                unreported[event["peer"]][receiver] += event["received_bytes"]
    for sender, rows in events.items():
        for event in rows:
            unreported[sender].subtract(event.get("sent_to", {}))
    return {site: +counts for site, counts in unreported.items()}
