"""``python -m experiments.costs``: what a study's arms cost, as tables."""

import argparse
import sys
from pathlib import Path

from experiments.command import exit_code_of
from experiments.costs import cost_table, wall_clock
from experiments.costs.study_clock import NUM_DRAWS
from experiments.costs.tables import byte_table, clock_table, compute_table, silent_table
from experiments.table import render
from src.errors import FederationError


def main() -> None:
    """Reads the command line and prints bytes, computing and wall-clock."""
    parser = argparse.ArgumentParser(prog="python -m experiments.costs", description=__doc__)
    parser.add_argument("--study", required=True, type=Path, help="study folder, as `make compare` leaves it")
    parser.add_argument("--draws", type=int, default=NUM_DRAWS, help="of the hospitals' speeds")
    given = parser.parse_args()
    if given.draws < 1:
        raise FederationError(f"--draws: expected at least 1, found {given.draws}")
    rows = cost_table(given.study)
    if not rows:
        raise FederationError(f"expected a finished run in '{given.study}', found none; `make compare` makes them")
    clock = wall_clock(given.study, num_draws=given.draws)
    tables = [byte_table(rows), compute_table(rows)]
    tables += [clock_table(case, arms) for case, arms in clock["cases"].items()]
    tables += [silent_table(case, schemes) for case, schemes in clock["silent_site"].items() if schemes]
    print("\n".join(render(table) for table in tables))


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
