"""The bytes that others are held against."""

from dataclasses import replace

import pytest

from experiments.costs.fedavg_bytes import plain_fedavg, same_schedule_fedavg
from tests.experiments.costs.made_runs import MODEL_BYTES, SITES, made_run


def test_plain_fedavg_is_measured_where_it_ran_among_all_sites():
    runs = [made_run("individual"), made_run("fedavg", sites=SITES[:2]), made_run("fedavg", scheme="plain")]
    assert plain_fedavg(runs) == ("measured", dict.fromkeys(SITES, 17 * MODEL_BYTES))


def test_the_mean_over_seeds_counts():
    one, other = made_run("fedavg"), made_run("fedavg", seed=1)
    costs = {site: replace(cost, sent_bytes=cost.sent_bytes + 100) for site, cost in other.sites.items()}
    source, bytes_by_site = plain_fedavg([one, replace(other, sites=costs)])
    assert source == "measured" and bytes_by_site["site_a"] == 17 * MODEL_BYTES + 50


@pytest.mark.parametrize("others", [[], [made_run("fedavg", sites=SITES[:2])], [made_run("fedprox")]])
def test_computed_it_is_what_a_measured_one_is(others):
    """A FedAvg among fewer sites, or another scheme, is not plain FedAvg."""
    assert plain_fedavg([made_run("gossip"), *others]) == ("computed", plain_fedavg([made_run("fedavg")])[1])


def test_without_several_sites_there_is_nothing_to_hold_against():
    assert plain_fedavg([]) is None
    assert plain_fedavg([made_run("pooled", sites=("pooled",))]) is None


@pytest.mark.parametrize(("wire_dtype", "payload_bytes"), [("float32", 1000), ("float16", 500), ("bfloat16", 500)])
def test_the_same_schedule_is_one_model_up_and_one_down_per_exchange(wire_dtype, payload_bytes):
    run = made_run("gossip", exchange_rounds=(2, 4, 6), wire_dtype=wire_dtype)
    assert same_schedule_fedavg(run) == dict.fromkeys(SITES, 3 * 2 * payload_bytes)
