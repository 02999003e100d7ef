"""``make demo``: the main job on phantoms made on the spot, in a few minutes.

Four unlike sites learn together twice, through real fx processes over mutual TLS: with an aggregator that averages (FedAvg),
and without one, from each other (gossip). Last the Dice of the models they saved, on patients that nobody trained or validated
on, and what each site sent and received.
"""

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from rich.console import Console

from data_prep.phantom.generate import make_federation
from experiments.command import exit_code_of
from experiments.federation.run import FederationSettings, run_federation
from experiments.federation.traffic import Traffic, traffic_table
from experiments.score import score_run, table_of
from experiments.table import beside

CASES_PER_SITE = (16, 12, 8, 6)
ROUNDS = 8  # of the plans' 10: both schemes fit into the five minutes
SCHEMES = {"FedAvg": "fedavg_phantom", "gossip": "gossip_phantom"}
_WIDE = 10_000  # of a file


class Demo:
    """One demonstration.

    Args:
        folder: made; holds the phantoms and a run per scheme.
        console: where to show it.
    """

    def __init__(self, folder: Path, console: Console) -> None:
        self.folder, self.phantoms, self.console = folder, folder / "phantoms", console
        self.runs: dict[str, Path] = {}

    def train(self, scheme: str) -> None:
        """Runs one scheme at all sites."""
        settings = FederationSettings(
            plan=SCHEMES[scheme],
            data=self.phantoms,
            output=self.folder / SCHEMES[scheme],
            rounds=ROUNDS,
            # Both schemes prepare the same cases in the same way.
            cache=self.folder / "cache",
            timeout_s=1800,
        )
        self.runs[scheme] = run_federation(settings, self.console)

    def compare(self) -> None:
        """Scores the final models of all schemes on the test cases; tables side by side where the terminal is wide enough."""
        width = self.console.width if self.console.is_terminal else _WIDE
        scores = {name: score_run(run, self.phantoms, "test", console=self.console) for name, run in self.runs.items()}
        self._say(beside([table_of(path, name) for name, path in scores.items()], width))
        traffic = {name: _traffic(run) for name, run in self.runs.items()}
        self._say(beside([traffic_table(f"{name}: models over the network", entry) for name, entry in traffic.items()], width))

    def say_where(self) -> None:
        """Where everything is."""
        for name, run in self.runs.items():
            self._say(f"{name + ':':8s} models in {run / 'save'}, scores of every case in {run / 'scores_test_last.json'}")

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)


def _traffic(run: Path) -> dict[str, Traffic]:
    content = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    return {site: Traffic(**entry) for site, entry in content["traffic"].items()}


def main() -> None:
    """Makes the phantoms, runs both federations, prints the tables."""
    began = time.monotonic()
    console = Console()
    demo = Demo(Path("runs") / f"demo-{datetime.now():%Y%m%d-%H%M%S}", console)
    sites, total = len(CASES_PER_SITE), sum(CASES_PER_SITE)
    console.print(f"make demo: {sites} sites with {total} phantom patients, under 5 minutes on 2 cores")
    console.print("1. phantom CTs of the abdomen, another scanner and other habits at each site (half a minute)")
    make_federation(demo.phantoms, anatomy="liver", cases_per_site=CASES_PER_SITE)
    console.print("2. FedAvg: all sites train, an aggregator averages (1 to 2 minutes)")
    demo.train("FedAvg")
    console.print("3. gossip: no aggregator, each site learns from the others' models (1 to 2 minutes)")
    demo.train("gossip")
    console.print("4. the saved model of each site on its test patients")
    demo.compare()
    console.print(f"done in {time.monotonic() - began:.0f} s", highlight=False)
    demo.say_where()


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
