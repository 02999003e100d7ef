"""The aggregator of ``small_federation`` behind OpenFL's own gRPC server, with mutual TLS."""

import socket
import threading
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
