"""What the sites report while they work: a live table on a terminal, one line per round and phase elsewhere.

Sites that exchange with each other wait for nobody: each may be in another round, and what it exchanged is news of its own.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from experiments.federation.traffic import BYTES_PER_MB, traffic_of_exchanges
from experiments.silent_site import SilentSite

_ROUND_PHASES = ("train", "validate")


class MetricsReader:
    """Reads the events that sites append to their ``metrics.jsonl``, each line once it is complete.

    Args:
        files: the file of each site; it need not be there yet.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(files)
        self._offsets = dict.fromkeys(files, 0)
        self.events: dict[str, list[dict]] = {site: [] for site in files}

    def read(self) -> list[dict]:
        """The events that are new since the last call."""
        new = []
        for site, path in self._files.items():
            if not path.is_file():
                continue
            with path.open("rb") as file:
                file.seek(self._offsets[site])
                content = file.read()
            complete = content[: content.rfind(b"\n") + 1]
            self._offsets[site] += len(complete)
            events = [json.loads(line) for line in complete.splitlines()]
            self.events[site] += events
            new += events
        return new


class Progress:
    """Shows how far each site is.

    Args:
        reader: where the events come from; what it has read before is no news.
        console: where to show it.
        silent: the site that nobody waits for from some round on, if there is one.
    """

    def __init__(self, reader: MetricsReader, console: Console, silent: SilentSite | None = None) -> None:
        self.reader, self.console, self._silent = reader, console, silent
        self._began = time.monotonic()
        self._printed = set(self._complete_rounds())
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=2, transient=True)

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def look(self) -> None:
        """Reads what is new; prints each round once every site has reported it, and what sites exchange when they say so."""
        new = self.reader.read()
        if new and not self.console.is_terminal:
            for event in new:
                if event["phase"] not in _ROUND_PHASES:
                    self._print(event["round"], event["phase"], f"{event['site']}{_described(event)}")
            self._print_complete_rounds()

    def _print_complete_rounds(self) -> None:
        for key, by_site in self._complete_rounds().items():
            if key not in self._printed:
                self._printed.add(key)
                values = "  ".join(f"{site} {_value(event)}" for site, event in sorted(by_site.items()))
                self._print(*key, f"{'mean Dice' if key[1] == 'validate' else 'loss'}: {values}")

    def _complete_rounds(self) -> dict[tuple[int, str], dict[str, dict]]:
        """By round and phase the events of the sites, where every site has reported it."""
        reports: dict[tuple[int, str], dict[str, dict]] = {}
        for site, events in self.reader.events.items():
            for event in events:
                if event["phase"] in _ROUND_PHASES:
                    reports.setdefault((event["round"], event["phase"]), {})[site] = event
        return {key: by_site for key, by_site in reports.items() if len(by_site) == self._num_expected(key[0])}

    def _num_expected(self, round_number: int) -> int:
        is_gone = self._silent is not None and round_number >= self._silent.from_round
        return len(self.reader.events) - is_gone

    def _print(self, round_number: int, phase: str, text: str) -> None:
        self.console.print(f"{self._elapsed()}  round {round_number}  {phase:8s}  {text}", highlight=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table(title=f"federation, {self._elapsed()}")
        exchanging = any("received_bytes" in event for events in self.reader.events.values() for event in events)
        for column in ("site", "round", "phase", "loss", "mean Dice", *(("MB in", "MB out") if exchanging else ())):
            table.add_column(column, justify="left" if column == "site" else "right")
        for site, events in self.reader.events.items():
            last = events[-1] if events else {}
            latest = {phase: next((e for e in reversed(events) if e["phase"] == phase), {}) for phase in _ROUND_PHASES}
            traffic = traffic_of_exchanges(events)
            in_and_out = (traffic.received_bytes, traffic.sent_bytes) if exchanging else ()
            table.add_row(
                site,
                str(last.get("round", "-")),
                last.get("phase", "starting"),
                _number(latest["train"].get("loss")),
                _number(latest["validate"].get("mean_dice")),
                *(f"{number / BYTES_PER_MB:.1f}" for number in in_and_out),
            )
        return table

    def _elapsed(self) -> str:
        return clock(time.monotonic() - self._began)


def clock(seconds: float) -> str:
    """Hours, minutes and whole seconds: 1:05:09."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _value(event: dict) -> str:
    return _number(event.get("mean_dice") if event["phase"] == "validate" else event.get("loss"))


def _described(event: dict) -> str:
    """What an event that is neither training nor validation says, in a few words."""
    if "peer" in event:
        received = f"{event.get('received_bytes', 0) / BYTES_PER_MB:.1f} MB"
        return f" <- {event['peer']}: {received if event['outcome'] == 'received' else event['outcome']}"
    if "mean_dice" in event:
        return f" mean Dice {_number(event['mean_dice'])}"
    return f": taught {', '.join(event['taught']) or 'nothing'}" if "taught" in event else ""


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
