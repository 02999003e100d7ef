from experiments.federation.traffic import Traffic, traffic_of_exchanges, traffic_of_rounds, traffic_table
from experiments.table import render


def test_an_exchanging_site_counts_what_it_sent_and_received_in_all_phases():
    events = [
        {"phase": "train", "round": 0, "loss": 1.0},
        {"phase": "exchange", "round": 1, "received_bytes": 100, "sent_bytes": 30},
        {"phase": "closing", "round": 2, "received_bytes": 7, "sent_bytes": 20},
        {"phase": "served", "round": 2, "sent_bytes": 5},
    ]
    assert traffic_of_exchanges(events) == Traffic(sent_bytes=55, received_bytes=107, closing_received_bytes=7)


def test_a_site_that_exchanged_nothing_moved_nothing():
    assert traffic_of_exchanges([{"phase": "train", "round": 0}]) == Traffic(sent_bytes=0, received_bytes=0)


def test_an_aggregators_site_fetches_one_model_for_each_validation():
    aggregator = [{"round": number, "received_bytes": {"a": 10, "b": 20}} for number in range(2)]
    events = {
        "a": [{"phase": phase, "round": 0} for phase in ("validate", "train", "validate")],
        "b": [{"phase": "validate", "round": 0}],
    }
    assert traffic_of_rounds(["a", "b"], events, aggregator, model_bytes=1000) == {
        "a": Traffic(sent_bytes=20, received_bytes=2000),
        "b": Traffic(sent_bytes=40, received_bytes=1000),
    }


def test_the_table_is_in_megabytes():
    entry = Traffic(sent_bytes=1_500_000, received_bytes=12_345_678, closing_received_bytes=40_000)
    row = next(line for line in render(traffic_table("t", {"site_a": entry})).splitlines() if "site_a" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["site_a", "1.50", "12.35", "0.04"]
