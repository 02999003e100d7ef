"""The cost table, by hand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.costs import cost_table
from experiments.costs.cost_rows import rows_of_runs, shares
from tests.experiments.costs.made_runs import MODEL_BYTES, SITES, made_run, pull
from tests.experiments.small_study import LOCAL_ROUNDS, ROUNDS, make_small_study


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return {row["arm"]: row for row in cost_table(make_small_study(tmp_path_factory.mktemp("costs") / "study"))}


def gossip_run():
    """Eight rounds, two exchanges of half a model in pairs; site_c has no partner in the first and is never pulled from."""
    half = MODEL_BYTES // 2
    in_rounds = [pull(2, "site_a", "site_b", half), pull(2, "site_b", "site_a", half), pull(4, "site_c", "site_a", half)]
    closing = [pull(8, site, peer, half) for site in SITES for peer in SITES if site != peer]
    return made_run("gossip", exchange_rounds=(2, 4), pulls=(*in_rounds, *closing))


def test_every_arm_has_a_row_and_every_row_is_json(rows):
    assert list(rows) == [
        *("individual", "pooled", "fedavg", "fedavg_local", "gossip", "gossip_consensus"),
        *("fedavg_without_site_c", "fedavg_without_site_c_local"),
    ]
    assert json.loads(json.dumps(list(rows.values()), allow_nan=False))


def test_the_total_is_the_sum_of_the_sites_and_the_mean_of_the_seeds(rows):
    for row in rows.values():
        for key, total in row["total"].items():
            parts = [site[key] for site in row["sites"].values()]
            assert total is None if None in parts else total == pytest.approx(sum(parts))
            seeds = [entry["total"][key] for entry in row["by_seed"].values()]
            assert total is None if None in seeds else total == pytest.approx(sum(seeds) / len(seeds))


def test_shares_of_a_study(rows):
    # FedAvg sends a model each round and receives one more; the local finish has as many rounds fewer of both as it takes.
    shared_rounds = ROUNDS - LOCAL_ROUNDS
    assert rows["fedavg"]["plain_fedavg"]["total"] == 1.0 and rows["fedavg"]["plain_fedavg"]["source"] == "measured"
    assert rows["fedavg_local"]["plain_fedavg"]["total"] == pytest.approx((2 * shared_rounds + 1) / (2 * ROUNDS + 1))
    whole_s = rows["fedavg"]["total"]["cpu_seconds"]
    finish_s = rows["fedavg_local"]["total"]["local_finish_cpu_seconds"]
    finish_share = finish_s / (whole_s * shared_rounds / ROUNDS + finish_s)
    assert finish_s > 0 and rows["fedavg_local"]["local_finish_cpu_share"] == pytest.approx(finish_share)
    assert rows["individual"]["plain_fedavg"]["worst_site"] == 0.0
    assert rows["pooled"]["plain_fedavg"] is None and rows["pooled"]["carried_bytes"] is None


def test_gossip_beside_both_fedavgs_by_hand():
    row, consensus = rows_of_runs([gossip_run()])
    # In halves of a model: a line carries site_a 1 down 2 up, site_b 1 and 1, site_c 1; closing 2 down and 2 up at each.
    plain, same = row["plain_fedavg"], row["same_schedule_fedavg"]
    assert plain["source"] == "computed" and plain["total_bytes"] == 3 * 17 * MODEL_BYTES
    assert plain["total"] == pytest.approx(18 / (3 * 34)) and plain["worst_site"] == pytest.approx(7 / 34)
    assert plain["total_without_closing"] == pytest.approx(6 / (3 * 34))
    assert same["total_without_closing"] == pytest.approx(6 / 12) and same["worst_site_without_closing"] == pytest.approx(3 / 4)
    assert same["total"] == pytest.approx(18 / 12) and same["worst_site"] == pytest.approx(7 / 4)
    assert row["carried_bytes"] == 9 * MODEL_BYTES / 2
    assert row["aims"] == {
        "at_most_quarter_of_plain_fedavg": dict.fromkeys(row["aims"]["at_most_quarter_of_plain_fedavg"], True),
        "at_most_same_schedule_fedavg": {
            **dict.fromkeys(("total", "worst_site"), False),
            **dict.fromkeys(("total_without_closing", "worst_site_without_closing"), True),
        },
    }
    # There is no consensus without the closing.
    assert consensus["plain_fedavg"]["total_without_closing"] is None
    assert consensus["aims"]["at_most_same_schedule_fedavg"]["total_without_closing"] is None


def test_an_unstarted_study_has_no_rows():
    assert rows_of_runs([]) == []


SITE_BYTES = st.lists(
    st.fixed_dictionaries(
        {
            **{"sent_bytes": st.integers(500, 10**9), "received_bytes": st.integers(500, 10**9)},
            **{"closing_sent_bytes": st.integers(0, 500), "closing_received_bytes": st.integers(0, 500)},
        }
    ),
    min_size=1,
    max_size=5,
)


@given(SITE_BYTES, st.integers(1, 10**9))
def test_the_worst_site_is_never_below_the_total_nor_the_closing_free_of_charge(entries, reference_bytes):
    sites = dict(enumerate(entries))
    found = shares(sites, dict.fromkeys(sites, reference_bytes))
    assert found["worst_site"] >= found["total"] * (1 - 1e-12)
    assert found["total"] >= found["total_without_closing"] and found["worst_site"] >= found["worst_site_without_closing"]
