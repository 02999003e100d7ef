"""A whole federation of sites alone: what it leaves, what it sent, and that there is no aggregator anywhere."""

import json
import shutil

import numpy as np
import pytest
import yaml

from experiments.federation.run import FederationSettings, run_federation
from experiments.score import score_run
from src.errors import PlanSettingError
from src.model.card import read_model

SITES = ("site_a", "site_b")
PULLS = ("exchange", "closing")


def events(run, site: str, phase: str) -> list[dict]:
    found = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    return [event for event in found if (event["site"], event["phase"]) == (site, phase)]


def summary(run) -> dict:
    return json.loads((run.folder / "summary.json").read_text())


def test_nobody_was_an_aggregator(gossiped):
    assert {path.stem for path in (gossiped.folder / "logs").iterdir()} == {*SITES, "setup", "initialize"}
    assert not (gossiped.folder / "workspaces" / "aggregator").exists()
    assert not list((gossiped.folder / "workspaces").rglob("agg_*.crt"))


def test_every_site_trained_all_rounds_and_saved_its_own_model_and_the_federations(gossiped):
    for site in SITES:
        for phase in ("train", "validate"):
            assert [event["round"] for event in events(gossiped, site, phase)] == [0, 1, 2]
        for name in ("best", "last", "consensus"):
            card, tensors = read_model(gossiped.folder / "save" / site / f"{name}.safetensors")
            assert card.site == site
            assert all(np.isfinite(values).all() for values in tensors.values())


def test_sites_keep_models_of_their_own_and_agree_on_the_consensus(gossiped):
    def tensors(name):
        return [read_model(gossiped.folder / "save" / site / f"{name}.safetensors")[1] for site in SITES]

    (own_a, own_b), (consensus_a, consensus_b) = tensors("last"), tensors("consensus")
    assert not all(np.array_equal(own_a[name], own_b[name]) for name in own_a)
    assert all(np.array_equal(consensus_a[name], consensus_b[name]) for name in consensus_a)


def test_what_one_site_received_the_other_sent(gossiped):
    traffic = summary(gossiped)["traffic"]
    for site, other in (SITES, SITES[::-1]):
        assert traffic[site]["received_bytes"] == traffic[other]["sent_bytes"] > 0
        received = sum(event["received_bytes"] for phase in PULLS for event in events(gossiped, site, phase))
        assert traffic[site]["received_bytes"] == received
        (closing,) = events(gossiped, site, "closing")
        assert traffic[site]["closing_received_bytes"] == closing["received_bytes"]
    assert "models over the network" in gossiped.output


def test_a_model_travels_in_half_precision(gossiped, finished):
    """FedAvg sends the same network in float32; the two kinds of run count their bytes alike."""
    _, tensors = read_model(gossiped.folder / "save" / "site_a" / "last.safetensors")
    network_bytes = sum(values.nbytes for values in tensors.values())
    pulled = [event["received_bytes"] for site in SITES for phase in PULLS for event in events(gossiped, site, phase)]
    # Nothing in an event whose model was there already: a site behind its peer got the peer's final model in a round.
    sizes = [num_bytes for num_bytes in pulled if num_bytes]
    assert sizes and sizes == pytest.approx([network_bytes / 2] * len(sizes), rel=0.05)
    per_round = summary(finished)["traffic"]["site_a"]["sent_bytes"] / 2
    assert per_round == pytest.approx(network_bytes, rel=0.05)


def test_sites_share_nothing_but_the_plan_the_first_weights_and_the_network(gossiped):
    workspaces = gossiped.folder / "workspaces"
    plans = {(workspaces / name / "plan" / "plan.yaml").read_bytes() for name in (*SITES, "authority")}
    assert plans == {(gossiped.folder / "config" / "plan.yaml").read_bytes()}
    assert yaml.safe_load(plans.pop())["collaborator"]["settings"]["roster"] == list(SITES)
    assert len({(workspaces / name / "save" / "init.pbuf").read_bytes() for name in (*SITES, "authority")}) == 1
    for site in SITES:
        assert [path.name for path in (workspaces / site).rglob("*.key")] == [f"col_{site}.key"]
        assert not [path for path in (workspaces / site).rglob("*") if path.is_symlink()]
    assert not list((workspaces / "authority").rglob("col_*.key"))


@pytest.mark.parametrize("model", ["last", "consensus"])
def test_scores_from_files_are_what_the_sites_reported(gossiped, phantoms, tmp_path, model):
    copy = shutil.copytree(gossiped.folder, tmp_path / "run", ignore=shutil.ignore_patterns("workspaces"))
    scores = json.loads(score_run(copy, phantoms, "valid", model).read_text())["sites"]
    for site in SITES:
        reported = summary(gossiped)["last_validation"][site] if model == "last" else events(gossiped, site, "consensus")[0]
        for name, value in reported["dice"].items():
            found = scores[site]["structures"].get(name)
            assert (found and found["mean"]) == (None if value is None else pytest.approx(value, abs=1e-6)), (site, name)


def test_too_few_rounds_for_an_exchange_are_refused_before_anything_is_written(phantoms, tmp_path):
    settings = FederationSettings(plan="gossip_phantom", data=phantoms, output=tmp_path / "run", rounds=3)
    with pytest.raises(PlanSettingError, match="no exchange in 3 rounds with warm_up_rounds 1 and local_rounds_at_end 2"):
        run_federation(settings)
    assert not (tmp_path / "run").exists()
