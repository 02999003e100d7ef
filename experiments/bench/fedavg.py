"""One round of OpenFL's FedAvg without training, beside one exchange of the same model; two sites each.

OpenFL is left as it comes, and where a setting costs time the faster one is taken: no deltas, no database of received results,
no second task, no waiting between two questions for work. Its sites load nothing and train nothing: what was downloaded is sent
back.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.bench.certificates import make_certificates
from experiments.bench.counting_proxy import CountingProxy
from experiments.bench.figures import ratios, spread
from experiments.bench.models import MODELS
from experiments.bench.pair import SITES, Pair, together, two_peers
from experiments.bench.worker import Worker
from experiments.federation.plan import free_ports

AIM = 10
_AGGREGATOR, _FEDERATION, _TASK = "bench_aggregator", "bench_federation", "train"
_ROUNDS = 1000  # nobody gets to the last one


class AggregatorProcess:
    """OpenFL's aggregator behind its own gRPC server.

    Args:
        folder: for the models it saves.
        shapes: of the model's tensors.
        files: certificate, private key and root certificate.
        port: on this machine.
    """

    def __init__(self, folder: str, shapes: Mapping[str, Sequence[int]], files: Mapping[str, str], port: int) -> None:
        logging.disable(logging.WARNING)
        from openfl.component.aggregator import Aggregator
        from openfl.component.assigner import StaticGroupedAssigner
        from openfl.interface.aggregation_functions import WeightedAverage
        from openfl.protocols import aggregator_pb2_grpc
        from openfl.transport.grpc.aggregator_server import AggregatorGRPCServer
        from openfl.transport.grpc.common import create_grpc_server

        draw = np.random.default_rng(0)
        model = {name: draw.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}
        assigner = StaticGroupedAssigner(
            [{"name": "all", "tasks": [_TASK], "collaborators": list(SITES)}],
            tasks={_TASK: {"function": _TASK, "kwargs": {}, "aggregation_type": WeightedAverage()}},
            authorized_cols=list(SITES),
            rounds_to_train=_ROUNDS,
        )
        aggregator = Aggregator(
            _AGGREGATOR,
            _FEDERATION,
            list(SITES),
            *(str(Path(folder) / f"{name}.pbuf") for name in ("init", "best", "last")),
            assigner,
            use_delta_updates=False,
            rounds_to_train=_ROUNDS,
            initial_tensor_dict=model,
            callbacks=[],
            persist_checkpoint=False,
        )
        servicer = AggregatorGRPCServer(aggregator, port, **files)
        self._server = create_grpc_server(
            f"localhost:{port}", True, files["private_key"], files["certificate"], files["root_certificate"], True
        )
        aggregator_pb2_grpc.add_AggregatorServicer_to_server(servicer, self._server)
        self._server.start()

    def ready(self) -> bool:
        """Whether it serves."""
        return True


class CollaboratorProcess:
    """OpenFL's collaborator with its own client, a round at a time.

    Args:
        site: its name.
        shapes, files, port: as ``AggregatorProcess``.
    """

    def __init__(self, site: str, shapes: Mapping[str, Sequence[int]], files: Mapping[str, str], port: int) -> None:
        logging.disable(logging.WARNING)
        from openfl.component.collaborator import Collaborator
        from openfl.transport.grpc.aggregator_client import AggregatorGRPCClient

        client = AggregatorGRPCClient("localhost", port, _AGGREGATOR, _FEDERATION, site, **files)
        config = {_TASK: {"function": _TASK, "kwargs": {}}}
        self._collaborator = Collaborator(
            site, _AGGREGATOR, _FEDERATION, client, _EchoRunner(list(shapes)), config, callbacks=[]
        )

    def round(self) -> float:
        """What ``Collaborator.run`` does in a round: asks for work, downloads, "trains", uploads; returns seconds."""
        site, began = self._collaborator, time.perf_counter()
        tasks, round_number, _, _ = site.client.get_tasks()
        if not tasks:
            raise RuntimeError("expected a task in every round, found none")
        for task in tasks:
            site.do_task(task, round_number)
        site.tensor_db.clean_up(site.db_store_rounds)
        return time.perf_counter() - began


class _EchoRunner:
    """A task runner that sends back what it got."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def set_optimizer_treatment(self, treatment: str) -> None:
        pass

    def get_train_data_size(self) -> int:
        return 1

    def get_required_tensorkeys_for_function(self, function: str, **given) -> list:
        from openfl.utilities import TensorKey

        return [TensorKey(name, "GLOBAL", 0, False, ("model",)) for name in self._names]

    def train(self, col_name: str, round_num: int, input_tensor_dict: dict, **given) -> tuple[dict, dict]:
        from openfl.utilities import TensorKey

        tensors = input_tensor_dict.items()
        return {TensorKey(name, col_name, round_num, False, ("trained",)): value for name, value in tensors}, {}


@contextmanager
def openfl_federation(shapes: Mapping[str, Sequence[int]], *, counted: bool = False) -> Iterator[tuple[list[Worker], list]]:
    """An aggregator and two collaborators as processes, until the block ends.

    Args:
        counted: whether each collaborator goes through a ``CountingProxy`` of its own.

    Yields:
        The collaborators, and their proxies.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, (port,) = Path(name), free_ports(1)
        certificates = make_certificates(folder / "cert", ("localhost", *SITES))
        aggregator = stack.enter_context(Worker(AggregatorProcess, name, shapes, certificates["localhost"], port))
        aggregator.ask("ready")
        lines = [stack.enter_context(CountingProxy(port)) for _ in SITES] if counted else []
        ports = [line.port for line in lines] or [port] * len(SITES)
        sites = [
            stack.enter_context(Worker(CollaboratorProcess, site, shapes, certificates[site], ports[number]))
            for number, site in enumerate(SITES)
        ]
        yield sites, lines


@dataclass
class RoundTimes:
    """Seconds per repeat; the three of a repeat follow one another.

    Attributes:
        fedavg: a round of two sites at once, until both are done.
        gossip: the same with gossip: both publish, then both exchange.
        exchange: of one site, as the other one serves; what part ``exchange`` measures.
    """

    fedavg: list[float] = field(default_factory=list)
    gossip: list[float] = field(default_factory=list)
    exchange: list[float] = field(default_factory=list)


def measure(shapes: Mapping[str, Sequence[int]], repeats: int) -> RoundTimes:
    """Both schemes with two sites; one round of each goes before."""
    times = RoundTimes()
    with openfl_federation(shapes) as (collaborators, _), two_peers(shapes) as pair:
        site, peer = pair.sites
        for repeat in range(-1, repeats):
            fedavg_s = _seconds(lambda: together(collaborators, "round"))
            gossip_s = _seconds(lambda: _gossip_round(pair))
            peer.ask("publish")
            exchange_s = site.ask("exchange", SITES[1])
            if repeat >= 0:
                times.fedavg.append(fedavg_s)
                times.gossip.append(gossip_s)
                times.exchange.append(exchange_s)
    return times


def show(console: Console, repeats: int) -> None:
    """Measures both sizes and prints them."""
    table = Table(title=f"A round without training, two sites, float32; seconds, median of {repeats} (least to greatest)")
    for column in ("model", "FedAvg, OpenFL", "exchange", "FedAvg / exchange", "gossip round", "FedAvg / gossip round"):
        table.add_column(column, justify="right")
    for name, shapes in MODELS.items():
        times = measure(shapes, repeats)
        found = []
        for seconds in (times.exchange, times.gossip):
            found += [spread(seconds), spread(ratios(times.fedavg, seconds), 1)]
        table.add_row(name, spread(times.fedavg), *found)
    console.print(table)
    console.print(
        "FedAvg: tasks, every tensor down, every tensor up, average, model saved, both sites at once; no waiting. exchange: "
        "one site pulls, checks and loads. gossip round: both publish (to the disk), then both pull, check and load.\n"
        f"aim: the exchange at least {AIM} times faster\n"
    )


def _gossip_round(pair: Pair) -> None:
    together(pair.sites, "publish")
    together(pair.sites, "exchange", [SITES[1]], [SITES[0]])


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
