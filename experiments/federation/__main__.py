"""``python -m experiments.federation``: all sites of a federation on this machine."""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from experiments.command import exit_code_of
from experiments.federation.run import FederationSettings, run_federation


def read_arguments(arguments: list[str]) -> FederationSettings:
    """The settings a command line stands for."""
    parser = argparse.ArgumentParser(prog="python -m experiments.federation", description=__doc__)
    parser.add_argument("--plan", required=True, help="a folder of plan/plans, such as fedavg_head_neck")
    parser.add_argument("--data", required=True, type=Path, help="folder with one dataset per site")
    parser.add_argument("--output", type=Path, help="run folder; by default runs/<plan>-<time>")
    parser.add_argument("--rounds", type=int, help="training rounds; the learning rate decays over them")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="section.settings.key=value")
    parser.add_argument("--initial-weights", type=Path, help="a saved model to start from (.safetensors)")
    parser.add_argument("--cache", type=Path, help="folder for prepared cases, kept between runs")
    parser.add_argument("--timeout-s", type=float, default=24 * 3600, help="how long training may take (default one day)")
    given = parser.parse_args(arguments)
    return FederationSettings(
        plan=given.plan,
        data=given.data,
        output=given.output or Path("runs") / f"{given.plan}-{datetime.now():%Y%m%d-%H%M%S}",
        rounds=given.rounds,
        changes=tuple(given.changes),
        initial_weights=given.initial_weights,
        cache=given.cache,
        timeout_s=given.timeout_s,
    )


def main() -> None:
    """Runs one federation and says where its results are."""
    settings = read_arguments(sys.argv[1:])
    print(f"saved: {run_federation(settings)}")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
