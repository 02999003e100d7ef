"""Two sites as two processes with certificates of one authority, each knowing where the other listens."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.bench.certificates import make_certificates
from experiments.bench.counting_proxy import CountingProxy
from experiments.bench.peer import Peer
from experiments.bench.worker import Worker
from experiments.federation.plan import free_ports

SITES = ("site_a", "site_b")


@dataclass(frozen=True)
class Pair:
    """Both sites, and the lines to them when they are counted: ``lines[i]`` is what site i's callers go through."""

    sites: tuple[Worker, Worker]
    lines: tuple[CountingProxy, ...]


@contextmanager
def two_peers(shapes: Mapping[str, Sequence[int]], wire_dtype: str = "float32", *, counted: bool = False) -> Iterator[Pair]:
    """Both processes, until the block ends.

    Args:
        shapes: of the model's tensors.
        wire_dtype: of what they publish in a round.
        counted: whether all bytes go through a ``CountingProxy``.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, ports = Path(name), free_ports(2)
        certificates = make_certificates(folder / "cert", SITES)
        lines = tuple(stack.enter_context(CountingProxy(port)) for port in ports) if counted else ()
        seen = [line.port for line in lines] if counted else ports
        sites = []
        for site, other in ((0, 1), (1, 0)):
            peers = {SITES[other]: f"127.0.0.1:{seen[other]}"}
            given = (SITES[site], SITES, shapes, str(folder / SITES[site]), certificates[SITES[site]], peers)
            sites.append(stack.enter_context(Worker(Peer, *given, f"127.0.0.1:{ports[site]}", wire_dtype)))
        together(sites, "snapshot_bytes")  # both have begun to serve
        yield Pair(tuple(sites), lines)


def together(workers: Sequence[Worker], method: str, *arguments: Sequence) -> list:
    """The same call at all of them at once.

    Args:
        arguments: a list of arguments per worker; none for calls without any.
    """
    for number, worker in enumerate(workers):
        worker.send(method, *(arguments[number] if arguments else ()))
    return [worker.receive() for worker in workers]
