"""What a run cost each site, as it stands in ``cost.json``."""

from collections.abc import Mapping, Sequence

from experiments.federation.traffic import Traffic
from src.data.dataset import Dataset


def exchanges_of_peers(events: Mapping[str, Sequence[dict]]) -> list[dict]:
    """Every model that a site pulled from a peer, those after the last round too: round, site, peer and bytes."""
    return [
        {"round": event["round"], "site": site, "peer": event["peer"], "received_bytes": event["received_bytes"]}
        for site, rows in sorted(events.items())
        for event in rows
        if event.get("received_bytes")
    ]


def exchanges_of_rounds(events: Mapping[str, Sequence[dict]], model_bytes: int) -> list[dict]:
    """Every model that a site fetched from an aggregator, once in each round, that of the closing validation too."""
    return [
        {"round": event["round"], "site": site, "peer": None, "received_bytes": model_bytes}
        for site, rows in sorted(events.items())
        for event in rows
        if event["phase"] == "validate"
    ]


def site_costs(
    datasets: Mapping[str, Dataset],
    events: Mapping[str, Sequence[dict]],
    traffic: Mapping[str, Traffic],
    cpu_seconds: Mapping[str, float],
) -> dict[str, dict]:
    """The cost of each site.

    Args:
        datasets, events, traffic, cpu_seconds: by site.

    Returns:
        By site ``cpu_seconds`` (training, validation, exchange and completion; not the preparation of cases, which is kept),
        ``steps`` of the rounds, ``network_steps`` with those that a peer's copy was trained in them, ``completion_steps``
        after them, bytes as ``Traffic`` counts them, and ``train_cases``.
    """
    return {
        site: {
            "cpu_seconds": round(cpu_seconds[site], 3),
            **_steps(events[site]),
            "sent_bytes": traffic[site].sent_bytes,
            "received_bytes": traffic[site].received_bytes,
            "closing_received_bytes": traffic[site].closing_received_bytes,
            "train_cases": len(dataset.cases_of("train")),
        }
        for site, dataset in sorted(datasets.items())
    }


def _steps(events: Sequence[dict]) -> dict[str, int]:
    trained = [event for event in events if event["phase"] == "train"]
    steps = sum(event["steps"] for event in trained)
    # The loss of the peer's copy stands there exactly when that copy was trained along.
    copies = sum(event["steps"] for event in trained if "peer_loss" in event)
    completion = sum(event.get("steps", 0) for event in events if event["phase"] == "completion")
    return {"steps": steps, "network_steps": steps + copies, "completion_steps": completion}
