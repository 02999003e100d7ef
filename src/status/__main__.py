"""Shows how the sites of a plan without an aggregator stand.

Ends with exit code 0 when every peer that can be called answered and nobody is missing for too long, 1 when one did not or
somebody is, 2 for a mistyped command.
"""

import argparse
import json
import os
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live

from src.process_edge import process_edge
from src.status.ask import ask_all
from src.status.asker import Asker, read_asker
from src.status.facts import facts_of
from src.status.overview import overview_of
from src.status.table import shown

_PAUSE_S = 10.0
_PLAIN_WIDTH = 100_000  # columns; a file has no edge to break a line at


def main(arguments: list[str] | None = None) -> None:
    """Asks once, or again and again until Ctrl-C."""
    given = _parser().parse_args(arguments)
    # The network is built for its shape alone; a GPU belongs to the site that trains.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with process_edge():
        raise SystemExit(show(read_asker(given.site, given.plan), watch=given.watch, as_json=given.json, every_s=given.every))


def show(asker: Asker, *, watch: bool, as_json: bool, every_s: float = _PAUSE_S, console: Console | None = None) -> int:
    """Asks, and shows what came; returns the exit code.

    Args:
        asker: who asks.
        watch: again every ``every_s`` seconds until Ctrl-C; on a terminal in the same place.
        as_json: one JSON object a line, instead of tables.
        console: where to; stdout by default.

    Raises:
        FederationError: this site's own certificate cannot be used.
    """
    console = console or Console()
    plain = as_json or not console.is_terminal
    if plain:
        console = Console(file=console.file, width=_PLAIN_WIDTH, color_system=None)
    with ExitStack() as stack:
        transport = stack.enter_context(closing(asker.open_transport())) if asker.addresses else None
        live = stack.enter_context(Live(console=console, auto_refresh=False)) if watch and not plain else None
        exit_code = 1
        # Ctrl-C is how a person ends --watch; what was found last is then the answer.
        with suppress(KeyboardInterrupt):
            while True:
                overview = overview_of(asker, ask_all(asker, transport), time.time())
                exit_code = overview.exit_code
                if as_json:
                    print(json.dumps(facts_of(overview)), file=console.file, flush=True)
                elif live is not None:
                    live.update(shown(overview, plain=False), refresh=True)
                else:
                    console.print(shown(overview, plain=plain))
                if not watch:
                    break
                time.sleep(every_s)
        return exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m src.status", description=__doc__)
    parser.add_argument("-n", "--site", required=True, help="this site's name, as in its certificate")
    parser.add_argument("-p", "--plan", type=Path, default=Path("plan/plan.yaml"), help="default: plan/plan.yaml")
    parser.add_argument("--watch", action="store_true", help="ask again and again, until Ctrl-C")
    parser.add_argument("--every", type=_seconds, default=_PAUSE_S, metavar="SECONDS", help="between two questions of --watch")
    parser.add_argument("--json", action="store_true", help="the same facts for scripts, one object a line")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"expected 1 to 86400 seconds, found {text}")
    return seconds


if __name__ == "__main__":
    main()
