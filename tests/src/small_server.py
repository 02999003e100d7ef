"""The aggregator of ``small_federation`` behind OpenFL's own gRPC server, with mutual TLS."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from openfl.protocols import aggregator_pb2_grpc
from openfl.transport.grpc import aggregator_server
from openfl.transport.grpc.aggregator_client import AggregatorGRPCClient
from openfl.transport.grpc.common import create_grpc_server

from src.aggregator import SegmentationAggregator


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(aggregator: SegmentationAggregator, port: int, certificate: dict[str, str]) -> Iterator[grpc.Server]:
    """Serves an aggregator on localhost while the block runs."""
    servicer = aggregator_server.AggregatorGRPCServer(aggregator, port, **certificate)
    server = create_grpc_server(
        f"localhost:{port}", True, servicer.private_key, servicer.certificate, servicer.root_certificate, True
    )
    aggregator_pb2_grpc.add_AggregatorServicer_to_server(servicer, server)
    server.start()
    try:
        yield server
    finally:
        server.stop(0).wait(5)


def client_of(port: int, site: str, certificate: dict[str, str], **changes) -> AggregatorGRPCClient:
    """OpenFL's client, as ``fx collaborator start`` makes it."""
    settings = {"agg_addr": "localhost", "aggregator_uuid": "aggregator_plan.yaml_1", "federation_uuid": "plan.yaml_1"}
    return AggregatorGRPCClient(agg_port=port, collaborator_name=site, **{**settings, **certificate, **changes})


@dataclass
class Outcome:
    """What a call came to: ``value`` or ``error``."""

    value: object = None
    error: BaseException | None = None


def within(seconds: float, call: Callable) -> Outcome:
    """Runs a call in a thread, and fails when it takes longer than ``seconds``."""
    outcome = Outcome()

    def run() -> None:
        try:
            outcome.value = call()
        except BaseException as error:
            outcome.error = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"still running after {seconds} s"
    return outcome


@contextmanager
def far_away(port: int, delay_s: float) -> Iterator[int]:
    """A port that leads to ``port`` with a delay each way, as between two hospitals; whoever listens there may come later."""

    def carry(source: socket.socket, sink: socket.socket) -> None:
        with source, sink:
            while data := source.recv(65536):
                time.sleep(delay_s)
                sink.sendall(data)

    def accept() -> None:
        while True:
            near, _ = listener.accept()
            try:
                far = socket.create_connection(("localhost", port))
            except OSError:
                near.close()
                continue
            for ends in ((near, far), (far, near)):
                threading.Thread(target=_until_closed(carry), args=ends, daemon=True).start()

    with socket.create_server(("localhost", 0)) as listener:
        threading.Thread(target=_until_closed(accept), daemon=True).start()
        yield listener.getsockname()[1]


def _until_closed(work: Callable) -> Callable:
    def run(*arguments) -> None:
        with contextlib.suppress(OSError):
            work(*arguments)

    return run
