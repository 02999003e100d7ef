"""An exchange from question to loaded tensors, beside as many bytes over gRPC that nobody looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from experiments.bench.figures import ratios, spread
from experiments.bench.models import MODELS
from experiments.bench.pair import SITES, two_peers

AIM = 1.5


@dataclass
class ExchangeTimes:
    """Seconds per repeat; the three of a repeat follow one another.

    Attributes:
        raw: the plain stream, pieces of bytes as they are.
        messages: the plain stream, the same bytes in protobuf messages by the classes that gRPC generates.
        exchange: describe, pull, hash, check, load.
        publish: round, hash, write, flush to the disk.
    """

    raw: list[float] = field(default_factory=list)
    messages: list[float] = field(default_factory=list)
    exchange: list[float] = field(default_factory=list)
    publish: list[float] = field(default_factory=list)


def measure(shapes: Mapping[str, Sequence[int]], wire_dtype: str, repeats: int) -> ExchangeTimes:
    """Two processes on this machine, all connections open and used before; the order turns from repeat to repeat."""
    times = ExchangeTimes()
    with two_peers(shapes, wire_dtype) as pair:
        receiver, sender = pair.sites
        receiver.ask("connect_plain", sender.ask("serve_plain"), SITES[1])
        for repeat in range(-1, repeats):
            published_s = sender.ask("publish")
            size_bytes = sender.ask("snapshot_bytes")
            calls = {
                "raw": ("receive_plain", size_bytes, False),
                "messages": ("receive_plain", size_bytes, True),
                "exchange": ("exchange", SITES[1]),
            }
            turn = list(calls)[repeat % 3 :] + list(calls)[: repeat % 3]
            seconds = {name: receiver.ask(*calls[name]) for name in turn}
            if repeat >= 0:
                times.publish.append(published_s)
                for name, value in seconds.items():
                    getattr(times, name).append(value)
    return times


def show(console: Console, repeats: int) -> None:
    """Measures both sizes in both precisions, and prints them."""
    table = Table(title=f"Exchange between two processes, mutual TLS; seconds, median of {repeats} (least to greatest)")
    for column in ("model", "on the wire", "exchange", "plain gRPC", "plain, raw bytes", "ratio", "ratio to raw", "publishing"):
        table.add_column(column, justify="right")
    for name, shapes in MODELS.items():
        for wire_dtype in ("float32", "float16"):
            times = measure(shapes, wire_dtype, repeats)
            table.add_row(
                name,
                wire_dtype,
                *(spread(seconds) for seconds in (times.exchange, times.messages, times.raw)),
                *(spread(ratios(times.exchange, plain), 2) for plain in (times.messages, times.raw)),
                spread(times.publish),
            )
    console.print(table)
    console.print(
        "exchange: describe, pull, SHA-256, file, every check, tensors loaded. plain gRPC: as many bytes in the same messages "
        "by the classes that gRPC generates, from memory, thrown away. raw: without protobuf's copies.\n"
        f"aim: ratio at most {AIM}\n"
    )
