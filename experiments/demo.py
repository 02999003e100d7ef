"""``make demo``: the main job on phantoms made on the spot, in a few minutes.

Four unlike sites, FedAvg through real fx processes over mutual TLS, and the Dice of the models they saved on patients that
nobody trained or validated on.
"""

import sys
import time
from datetime import datetime
from pathlib import Path

from rich.console import Console

from data_prep.phantom.generate import make_federation
from experiments.command import exit_code_of
from experiments.federation.run import FederationSettings, run_federation
from experiments.score import score_run

CASES_PER_SITE = (16, 12, 8, 6)


def main() -> None:
    """Makes the phantoms, runs the federation, prints the table."""
    began = time.monotonic()
    console = Console()
    folder = Path("runs") / f"demo-{datetime.now():%Y%m%d-%H%M%S}"
    total = sum(CASES_PER_SITE)
    console.print(f"make demo: {len(CASES_PER_SITE)} sites with {total} phantom patients, under 5 minutes on 2 cores")
    console.print("1. phantom CTs of the abdomen, another scanner and other habits at each site (half a minute)")
    make_federation(folder / "phantoms", anatomy="liver", cases_per_site=CASES_PER_SITE)
    console.print("2. FedAvg at all sites (4 minutes)")
    settings = FederationSettings(plan="fedavg_phantom", data=folder / "phantoms", output=folder / "federation", timeout_s=1800)
    run = run_federation(settings, console)
    console.print("3. the saved model of each site on its test patients")
    scores = score_run(run, folder / "phantoms", "test", console=console)
    console.print(f"done in {time.monotonic() - began:.0f} s", highlight=False)
    for what, path in (("models", run / "save"), ("scores of every case", scores), ("everything else", run)):
        console.print(f"{what + ':':22s}{path}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
