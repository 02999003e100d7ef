"""What a round takes beside training and validation: the whole loop of a site, with nothing trained in it."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from experiments.bench.figures import spread
from experiments.bench.models import MODELS
from experiments.bench.pair import two_peers

AIM = 0.02
_ROUND_S = 60.0


def measure(shapes: Mapping[str, Sequence[int]], wire_dtype: str, rounds: int) -> list[float]:
    """Seconds of one site's rounds; the sites take turns, so that the other only serves."""
    with two_peers(shapes, wire_dtype) as pair:
        site, peer = pair.sites
        seconds = []
        for _ in range(rounds + 1):
            peer.ask("step")
            seconds.append(site.ask("step"))
    return seconds[1:]


def show(console: Console, rounds: int) -> None:
    """Measures both sizes and prints them."""
    table = Table(title=f"A round beside training and validation; seconds, median of {rounds} (least to greatest)")
    for column in ("model", "on the wire", "exchange, averaging, checkpoint, publishing", f"share of {_ROUND_S:g} s"):
        table.add_column(column, justify="right")
    for name, shapes in MODELS.items():
        for wire_dtype in ("float32", "float16"):
            seconds = measure(shapes, wire_dtype, rounds)
            table.add_row(name, wire_dtype, spread(seconds), spread([100 * value / _ROUND_S for value in seconds], 2) + " %")
    console.print(table)
    console.print(f"the checkpoint holds weights and momentum, twice the model. aim: at most {100 * AIM:g} %\n")
