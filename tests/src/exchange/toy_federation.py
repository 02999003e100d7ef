"""Toy sites as real processes over real TLS, and what kills, stops and restarts them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from experiments.federation.plan import free_ports
from tests.src.exchange.tls import ExchangeAuthority

REPOSITORY = Path(__file__).resolve().parents[3]


class ToyFederation:
    """Processes of one toy federation; a context manager after which none is left.

    Args:
        folder: of everything.
        roster: names.
        settings: ``rounds``, ``round_s``, ``values``, ``exchange`` and ``timing`` as ``toy_process`` takes them.
    """

    def __init__(self, folder: Path, roster: list[str], **settings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.roster = folder, roster
        authority = ExchangeAuthority(folder / "cert")
        ports = dict(zip(roster, free_ports(len(roster)), strict=True))
        self.given = {
            site: {
                "site": site,
                "folder": str(folder / site),
                "roster": roster,
                "listen": f"127.0.0.1:{ports[site]}",
                "peers": {name: f"127.0.0.1:{port}" for name, port in ports.items() if name != site},
                "certificates": {key: str(path) for key, path in authority.issue(site).items()},
                **settings,
            }
            for site in roster
        }
        self.processes: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "ToyFederation":
        return self

    def __exit__(self, *_) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def start(self, *sites: str) -> None:
        """Starts, or starts again with the same command; all when none is named."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        for site in sites or self.roster:
            with (self.folder / f"{site}.log").open("ab") as log:
                self.processes[site] = subprocess.Popen(
                    [sys.executable, "-m", "tests.src.exchange.toy_process", json.dumps(self.given[site])],
                    cwd=REPOSITORY,
                    env=environment,
                    stdout=log,
                    stderr=log,
                )

    def kill(self, site: str) -> None:
        """SIGKILL, and no trace of it left but the files."""
        self.processes[site].kill()
        self.processes[site].wait()

    def wait(self, timeout_s: float, *sites: str) -> None:
        """Until these sites (all when none is named) have ended well."""
        deadline = time.monotonic() + timeout_s
        for site in sites or self.roster:
            code = self.processes[site].wait(max(0.1, deadline - time.monotonic()))
            assert code == 0, f"{site} ended with {code}: {(self.folder / f'{site}.log').read_text()[-3000:]}"

    def wait_for_mark(self, site: str, moment: str, round_number: int, timeout_s: float = 60) -> bool:
        """Until a site enters a moment of a round or of a later one; False when it ended before."""
        path, deadline = self.folder / site / "marks", time.monotonic() + timeout_s
        seen = path.stat().st_size if path.is_file() else 0
        while self.processes[site].poll() is None:
            content = path.read_bytes()[seen:].decode() if path.is_file() else ""
            for line in content.splitlines():
                name, _, rest = line.partition(" ")
                number, _, edge = rest.partition(" ")
                if name == moment and edge == "begin" and int(number) >= round_number:
                    return True
            assert time.monotonic() < deadline, f"{site} never came to {moment} of round {round_number}"
            time.sleep(0.001)
        return False

    def events(self, site: str) -> list[dict]:
        """What a site logged."""
        path = self.folder / site / "events.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def result(self, site: str) -> dict:
        """What a site left at its end."""
        return json.loads((self.folder / site / "result").read_text(encoding="utf-8"))
