"""Fuzzes everything that reads bytes from a peer or a folder: ``python -m tests.fuzz --seconds 120``.

Prints a line for each target: inputs run, coverage (edges and features, as libFuzzer counts them), inputs kept, and whether
something was found, which makes the exit code 1. What was kept lies in ``runs/fuzz`` and is gone on from the next time.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.fuzz.outcome import Outcome, outcome_of

TARGETS = Path(__file__).parent / "targets"
SHARED_MEMORY = Path("/dev/shm")  # each input of some targets becomes a file


def names() -> list[str]:
    """Every target's name."""
    return sorted([*(path.stem for path in TARGETS.glob("*.py")), "snapshot"])


def fuzz(name: str, folder: Path, seconds: int) -> Outcome:
    """One target, in a process of its own.

    Args:
        name: of the target.
        folder: for what it keeps and what it finds.
        seconds: how long, beside its start.
    """
    # The decoder of snapshots has a mutator of its own, which makes digests fit.
    target = ["tests.src.exchange.fuzz_snapshot"] if name == "snapshot" else ["tests.fuzz.one_target", name, str(folder)]
    command = [sys.executable, "-m", *target, f"-max_total_time={seconds}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if SHARED_MEMORY.is_dir():
        environment["TMPDIR"] = str(SHARED_MEMORY)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace")
    return outcome_of(name, done.stdout + done.stderr, done.returncode)


def main() -> int:
    """As above."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition(":")[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--targets", nargs="+", default=names(), metavar="NAME", help=f"of {', '.join(names())}")
    parser.add_argument("--folder", type=Path, default=Path("runs/fuzz"), help="for what is kept and found")
    arguments = parser.parse_args()
    outcomes = []
    print(Outcome.head())
    for name in arguments.targets:
        outcomes.append(fuzz(name, arguments.folder / name, arguments.seconds))
        print(outcomes[-1].line(), flush=True)
        if outcomes[-1].found:
            print(outcomes[-1].report, file=sys.stderr)
    return int(any(outcome.found for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
