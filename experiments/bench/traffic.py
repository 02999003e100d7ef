"""Bytes a site sends and receives in a round, counted on the socket: the exchange, and FedAvg with OpenFL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from experiments.bench.fedavg import openfl_federation
from experiments.bench.models import MODELS
from experiments.bench.pair import two_peers
from experiments.federation.traffic import BYTES_PER_MB


@dataclass(frozen=True)
class SiteTraffic:
    """Of one site and round, TLS and gRPC included, the opening of connections shared among the rounds.

    Attributes:
        sent_bytes, received_bytes: counted on the socket.
        logged_bytes: what the site says of itself that it received; None where nobody says so.
    """

    sent_bytes: float
    received_bytes: float
    logged_bytes: float | None = None


def of_gossip(shapes: Mapping[str, Sequence[int]], wire_dtype: str, rounds: int) -> SiteTraffic:
    """Of one of two sites, with an exchange in every round."""
    with two_peers(shapes, wire_dtype, counted=True) as pair:
        site, peer = pair.sites
        logged_bytes = 0
        for _ in range(rounds):
            peer.ask("step")
            site.ask("step")
            logged_bytes += site.ask("received_bytes")
        own, other = pair.lines  # what the site's callers go through, and what the site goes through
        sent_bytes = own.to_client_bytes + other.to_server_bytes
        received_bytes = own.to_server_bytes + other.to_client_bytes
    return SiteTraffic(sent_bytes / rounds, received_bytes / rounds, logged_bytes / rounds)


def of_fedavg(shapes: Mapping[str, Sequence[int]], rounds: int) -> SiteTraffic:
    """Of one of two sites."""
    with openfl_federation(shapes, counted=True) as (sites, lines):
        for _ in range(rounds):
            for site in sites:
                site.send("round")
            for site in sites:
                site.receive()
        return SiteTraffic(lines[0].to_server_bytes / rounds, lines[0].to_client_bytes / rounds)


def show(console: Console, rounds: int) -> None:
    """Counts for the small model, for the other follows from it, and prints."""
    name = "20 MB"
    shapes = MODELS[name]
    fedavg = of_fedavg(shapes, rounds)
    found = {
        "FedAvg, OpenFL, float32": fedavg,
        "gossip, float32, every round": of_gossip(shapes, "float32", rounds),
        "gossip, float16, every round": of_gossip(shapes, "float16", rounds),
    }
    table = Table(title=f"MB of a site in a round, counted on the socket; model of {name}, mean of {rounds} rounds")
    for column in ("scheme", "sent", "received", "logged as received", "of FedAvg's bytes"):
        table.add_column(column, justify="left" if column == "scheme" else "right")
    whole = fedavg.sent_bytes + fedavg.received_bytes
    for scheme, traffic in found.items():
        logged = "" if traffic.logged_bytes is None else f"{traffic.logged_bytes / BYTES_PER_MB:.3f}"
        numbers = (f"{value / BYTES_PER_MB:.3f}" for value in (traffic.sent_bytes, traffic.received_bytes))
        table.add_row(scheme, *numbers, logged, f"{100 * (traffic.sent_bytes + traffic.received_bytes) / whole:.1f} %")
    console.print(table)
    console.print("a plan with exchange_every: 2, as the shipped ones, halves gossip's\n")
