"""How much memory an exchange takes beyond the site's own, and whether it stays so."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil
from rich.console import Console
from rich.table import Table

from experiments.bench.models import MODELS, num_bytes
from experiments.bench.pair import SITES, two_peers

AIM = 2.0
_LOOK_EVERY_S = 0.001


@dataclass(frozen=True)
class Memory:
    """Of one site's process; extra memory in models, the peak over what was resident right before.

    Attributes:
        exchange: during an exchange, the greatest.
        whole_round: during an exchange, averaging, checkpoint and publishing, the greatest.
        resident_bytes: after each exchange.
    """

    exchange: float
    whole_round: float
    resident_bytes: list[int]


def measure(shapes: Mapping[str, Sequence[int]], rounds: int, whole_rounds: int = 3) -> Memory:
    """So many exchanges, each of a new model, after some whole rounds of the loop."""
    with two_peers(shapes) as pair:
        site, peer = pair.sites
        process = psutil.Process(site.pid)
        whole, exchange, resident = [], [], []
        for _ in range(whole_rounds):
            peer.ask("publish")
            whole.append(_extra_bytes(process, lambda: site.ask("step")))
        for _ in range(rounds):
            peer.ask("publish")
            exchange.append(_extra_bytes(process, lambda: site.ask("exchange", SITES[1])))
            resident.append(process.memory_info().rss)
    size_bytes = num_bytes(shapes)
    return Memory(max(exchange) / size_bytes, max(whole) / size_bytes, resident)


def show(console: Console, rounds: int = 50) -> None:
    """Measures both sizes and prints them."""
    table = Table(title=f"Resident memory of a site's process, {rounds} exchanges")
    columns = (
        "model",
        "extra in an exchange, models",
        "extra in a whole round, models",
        "resident after 10",
        f"after {rounds}",
    )
    for column in columns:
        table.add_column(column, justify="right")
    for name, shapes in MODELS.items():
        found = measure(shapes, rounds)
        after = (found.resident_bytes[min(9, rounds - 1)], found.resident_bytes[-1])
        table.add_row(name, f"{found.exchange:.2f}", f"{found.whole_round:.2f}", *(f"{value / 1e6:.0f} MB" for value in after))
    console.print(table)
    console.print(
        "extra: the most that was resident at any millisecond less what was before. a whole round: exchange, averaging, "
        "checkpoint (of two models here: weights and momentum), publishing\n"
        f"aim: at most {AIM:g} models in an exchange, and no growth\n"
    )


def _extra_bytes(process: psutil.Process, call: Callable[[], object]) -> int:
    before, peak, done = process.memory_info().rss, [0], threading.Event()

    def look() -> None:
        while not done.wait(_LOOK_EVERY_S):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        call()
    finally:
        done.set()
        watcher.join()
    return max(0, peak[0] - before)
