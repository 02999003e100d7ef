"""What is seen of the sites while they run: their events with the time at which they came, and what each process uses."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from experiments.federation.progress import MetricsReader
from experiments.soak.site_process import SiteProcess

_STATE, _OUTPUT = "local_state", ("logs", "save")


class Watch:
    """Looks on.

    Args:
        sites: the honest sites' processes.
        workspaces: by site.

    Attributes:
        samples: one entry for each running process and look.
    """

    def __init__(self, sites: Mapping[str, SiteProcess], workspaces: Mapping[str, Path]) -> None:
        self._sites, self._workspaces = sites, workspaces
        self._reader = MetricsReader({site: workspaces[site] / "logs" / site / "metrics.jsonl" for site in sites})
        self.samples: list[dict] = []

    @property
    def events(self) -> dict[str, list[dict]]:
        """By site, in the order they were written; ``at_s`` is when they were seen."""
        return self._reader.events

    def read(self, now_s: float) -> list[dict]:
        """The events that are new."""
        new = self._reader.read()
        for event in new:
            event["at_s"] = round(now_s, 2)
        return new

    def where(self, site: str) -> dict:
        """The last that a site reported; empty before its first event."""
        rows = self.events[site]
        return {name: rows[-1][name] for name in ("round", "phase")} if rows else {}

    def sample(self, now_s: float) -> None:
        """Measures every process that runs."""
        for site, supervised in self._sites.items():
            process = supervised.running()
            if process is None:
                continue
            with suppress(psutil.Error):
                with process.oneshot():
                    used = {
                        "rss_bytes": process.memory_info().rss,
                        "threads": process.num_threads(),
                        "files": process.num_fds(),
                    }
                workspace = self._workspaces[site]
                self.samples.append(
                    {
                        "at_s": round(now_s, 2),
                        "site": site,
                        "pid": process.pid,
                        **used,
                        "state_bytes": folder_bytes(workspace / _STATE),
                        "output_bytes": sum(folder_bytes(workspace / name) for name in _OUTPUT),
                    }
                )


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder; one that vanishes meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                total += path.stat().st_size
    return total
