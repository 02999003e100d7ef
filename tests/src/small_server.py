"""The aggregator of ``small_federation`` behind OpenFL's own gRPC server, with mutual TLS."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from openfl.protocols import aggregator_pb2_grpc
from openfl.transport.grpc import aggregator_server
from openfl.transport.grpc.aggregator_client import AggregatorGRPCClient
from openfl.transport.grpc.common import create_grpc_server

from src.aggregator import SegmentationAggregator

ROOT = Path(__file__).resolve().parents[2]


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


_SERVE = """
import sys
from pathlib import Path
from openfl.transport.grpc.aggregator_server import AggregatorGRPCServer
from tests.src.small_federation import aggregator_in
folder, port, root_certificate, certificate, private_key = sys.argv[1:]
aggregator = aggregator_in(Path(folder), ("site_a",))
files = {"root_certificate": root_certificate, "certificate": certificate, "private_key": private_key}
AggregatorGRPCServer(aggregator, int(port), **files).serve()
"""


@contextmanager
def process_of_its_own(folder: Path, port: int, certificate: dict[str, str]) -> Iterator[subprocess.Popen]:
    """A process that serves an aggregator of ``site_a`` as ``fx aggregator start`` does; it listens after some seconds."""
    files = [certificate[name] for name in ("root_certificate", "certificate", "private_key")]
    command = [sys.executable, "-c", _SERVE, str(folder), str(port), *files]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_listening(port: int, timeout_s: float) -> None:
    """Returns when somebody listens on a port of this machine."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port)):
            return
        time.sleep(0.1)
    raise AssertionError(f"nobody listens on port {port} after {timeout_s} s")
