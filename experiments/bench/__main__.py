"""``make bench``: all parts, or those that are named with ``--part``."""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable

from rich.console import Console

from experiments.command import exit_code_of

# Of each part: minutes on two idle cores, and what runs it. Imported when it is its turn: MONAI and OpenFL take seconds.
_MINUTES = {
    "convert": 3.0,
    "exchange": 0.7,
    "fedavg": 1.3,
    "memory": 1.1,
    "predict": 12.0,
    "rounds": 0.8,
    "traffic": 0.5,
    "sites": 2.0,
    "steps": 1.0,
}

_WIDTH = 140  # of the tables, also in a file


def _show(part: str, console: Console, repeats: int) -> None:
    from experiments.bench import convert, exchange, fedavg, many_sites, memory, predict, rounds, steps, traffic

    shown: dict[str, Callable[[], None]] = {
        "convert": lambda: convert.show(console, 3),
        "exchange": lambda: exchange.show(console, repeats),
        "fedavg": lambda: fedavg.show(console, repeats),
        "memory": lambda: memory.show(console),
        "predict": lambda: predict.show(console, 3),
        "rounds": lambda: rounds.show(console, repeats),
        "traffic": lambda: traffic.show(console, 3),
        "sites": lambda: many_sites.show(console),
        "steps": lambda: steps.show(console, repeats, 8),
    }
    shown[part]()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m experiments.bench", description=__doc__)
    parser.add_argument("--part", action="append", choices=list(_MINUTES), help="may be given several times; default all")
    parser.add_argument("--repeats", type=int, default=5, help="of each measurement (default 5)")
    given = parser.parse_args()
    parts, console = given.part or list(_MINUTES), Console(highlight=False, width=_WIDTH)
    load = os.getloadavg()[0]
    minutes = sum(_MINUTES[part] for part in parts)
    console.print(f"make bench: {', '.join(parts)}; about {minutes:.0f} minutes on two idle cores")
    console.print(f"{multiprocessing.cpu_count()} cores, load {load:.1f}: on a busy machine only the ratios mean anything\n")
    for part in parts:
        began = time.monotonic()
        _show(part, console, given.repeats)
        console.print(f"{part}: {time.monotonic() - began:.0f} s\n", style="dim")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
