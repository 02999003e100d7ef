"""What each site sent and received: the bytes of models, counted the same way whatever the scheme."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

BYTES_PER_MB = 1e6


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Bytes of one site in one run, without what TLS and gRPC add.

    Attributes:
        sent_bytes, received_bytes: over the whole run.
        closing_received_bytes: of the received ones, those after the last round, for completion and consensus.
    """

    sent_bytes: int
    received_bytes: int
    closing_received_bytes: int = 0


def traffic_of_exchanges(events: Sequence[dict]) -> Traffic:
    """Of a site that exchanges with others: what it counted itself.

    Args:
        events: of its ``metrics.jsonl``; those without byte counts are passed over.
    """
    return Traffic(
        sent_bytes=sum(event.get("sent_bytes", 0) for event in events),
        received_bytes=sum(event.get("received_bytes", 0) for event in events),
        closing_received_bytes=sum(event.get("received_bytes", 0) for event in events if event["phase"] == "closing"),
    )


def traffic_of_rounds(
    sites: Sequence[str], events: Mapping[str, Sequence[dict]], aggregator: Sequence[dict], model_bytes: int
) -> dict[str, Traffic]:
    """Of an aggregator's sites: what the aggregator counted as received, and a network for each validation of its model.

    Args:
        sites: their names.
        events: of each site.
        aggregator: the aggregator's own events.
        model_bytes: of one network as it is sent.
    """
    return {
        site: Traffic(
            sent_bytes=sum(event.get("received_bytes", {}).get(site, 0) for event in aggregator),
            # A site fetches each round's model once, to validate it; OpenFL keeps it for the training of the same round.
            received_bytes=model_bytes * sum(event["phase"] == "validate" for event in events[site]),
        )
        for site in sites
    }


def traffic_table(title: str, traffic: Mapping[str, Traffic]) -> Table:
    """Sites down; sent, received, and of the received ones those after the last round, in MB of 1e6 bytes."""
    table = Table(title=title, title_justify="left")
    for column in ("site", "sent MB", "received MB", "of it after the last round"):
        table.add_column(column, justify="left" if column == "site" else "right")
    for site, entry in traffic.items():
        numbers = (entry.sent_bytes, entry.received_bytes, entry.closing_received_bytes)
        table.add_row(site, *(f"{number / BYTES_PER_MB:.2f}" for number in numbers))
    return table
