"""One site of the exchange in a process of its own: real TLS, real files, a model that nobody trains."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from experiments.bench.models import ModelLearner, num_bytes
from experiments.bench.plain_stream import PlainClient, PlainServer
from experiments.toy_learner import exchange_settings, timing_settings, toy_site
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.inbox import RECEIVED
from src.exchange.server import ExchangeServer

_ROUNDS = 10**6  # nobody gets to the last one


class Peer:
    """A site that serves, and does what it is asked.

    Args:
        name, roster: own, and all.
        shapes: of the model's tensors.
        folder: for its state.
        files: certificate, private key and root certificate.
        peers: site -> ``host:port``.
        listen: ``host:port``.
        wire_dtype: of what it publishes.
    """

    def __init__(
        self,
        name: str,
        roster: Sequence[str],
        shapes: Mapping[str, Sequence[int]],
        folder: str,
        files: Mapping[str, str],
        peers: Mapping[str, str],
        listen: str,
        wire_dtype: str = "float32",
    ) -> None:
        torch.set_num_threads(1)
        self.shapes, self.files, self.peers = shapes, files, peers
        paths = {kind: Path(path) for kind, path in files.items()}
        self.events: list[dict] = []
        self.site = toy_site(
            ModelLearner(name, shapes),
            roster,
            GrpcTransport(peers, own=name, **paths),
            Path(folder),
            lambda **facts: self.events.append(facts),
            rounds=_ROUNDS,
            exchange=exchange_settings(wire_dtype=wire_dtype),
            timing=timing_settings(pull_timeout_s=60),
        )
        self.site.resume()
        self.site.step()  # a round alone, as every run begins with
        self._exchanges = 0
        server = ExchangeServer(self.site.served, bind_address=listen, roster=roster, max_pulls=len(roster), **paths)
        server.start()
        self._servers: list = [server]

    def publish(self) -> float:
        """Offers the model as one of a new round; returns seconds: rounding, hashing, writing, flushing to the disk."""
        site = self.site
        site.round, site.sequence = site.round + 1, site.sequence + 1
        manifest = replace(site.outbox.newest().manifest, round=site.round, sequence=site.sequence)
        began = time.perf_counter()
        site.outbox.publish(manifest, site.learner.tensors(), site.exchange.wire_dtype)
        return time.perf_counter() - began

    def exchange(self, peer: str) -> float:
        """Asks for a peer's newest snapshot, pulls it, checks it and loads it; returns seconds from call to tensors."""
        self._exchanges += 1
        fetcher, number = self.site.fetcher, _ROUNDS + self._exchanges  # of no round
        began = time.perf_counter()
        outcome = fetcher.fetch(peer, 0.5, number)
        if outcome.outcome != RECEIVED:
            raise RuntimeError(f"expected the snapshot of {peer}, found {outcome}")
        tensors = fetcher.open(outcome).read()
        ended = time.perf_counter()
        if sum(tensor.nbytes for tensor in tensors.values()) != num_bytes(self.shapes):
            raise RuntimeError(f"expected {num_bytes(self.shapes)} bytes of tensors, found others")
        fetcher.inbox.note(number, [outcome])  # forgets the one before
        return ended - began

    def step(self) -> float:
        """A whole round of the loop; returns seconds, none of them training."""
        self.events.clear()
        began = time.perf_counter()
        self.site.step()
        seconds = time.perf_counter() - began
        failed = [event for event in self.events if event["phase"] == "exchange" and event["outcome"] != RECEIVED]
        if failed:
            raise RuntimeError(f"expected a model from every peer asked, found {failed[0]}")
        return seconds

    def received_bytes(self) -> int:
        """What the site logged as received in its last ``step``."""
        return sum(event["received_bytes"] for event in self.events if event["phase"] == "exchange")

    def serve_plain(self) -> int:
        """Starts a plain stream beside it; returns its port."""
        self._servers.append(PlainServer(self.files))
        return self._servers[-1].port

    def connect_plain(self, port: int, server: str) -> None:
        """Gets ready for ``receive_plain``."""
        self._plain = PlainClient(port, server, self.files)

    def receive_plain(self, size_bytes: int, in_messages: bool) -> float:
        """Receives a plain stream; returns seconds."""
        began = time.perf_counter()
        received = self._plain.receive(size_bytes, in_messages)
        seconds = time.perf_counter() - began
        if received != size_bytes:
            raise RuntimeError(f"expected {size_bytes} bytes, found {received}")
        return seconds

    def snapshot_bytes(self) -> int:
        """Of the newest offered snapshot."""
        return self.site.outbox.newest().size_bytes
