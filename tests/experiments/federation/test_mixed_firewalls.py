"""Four hospitals with real fx processes: two call each other, one can only call, one shares nothing but a folder."""

import json

import numpy as np
import pytest
import yaml

from data_prep.phantom.generate import make_federation
from src.model.card import read_model
from tests.experiments.conftest import QUICK_GOSSIP, run_command

SITES = ["site_a", "site_b", "site_c", "site_d"]
SETTINGS = "collaborator.settings.exchange"
MIXED = (
    *("--set", f"{SETTINGS}.reachability={{site_c: outbound, site_d: folder}}", "--set", f"{SETTINGS}.folder=true"),
    # All meet in each exchange, and the run says so when one of them was not there.
    *("--set", f"{SETTINGS}.schedule=full", "--set", f"{SETTINGS}.quorum=4"),
    *("--set", "collaborator.settings.timing.closing_wait_s=600", "--set", "collaborator.settings.timing.serve_after_s=600"),
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A mixed federation that ran to its end. Read only."""
    data = tmp_path_factory.mktemp("four")
    make_federation(data, anatomy="liver", cases_per_site=(3, 3, 3, 3))
    run = run_command(data, tmp_path_factory.mktemp("mixed") / "run", *QUICK_GOSSIP, *MIXED)
    assert run.exit_code == 0, run.output
    return run


def events(run, site: str, *phases: str) -> list[dict]:
    found = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    return [event for event in found if event["site"] == site and event["phase"] in phases]


def summary(run) -> dict:
    return json.loads((run.folder / "summary.json").read_text())


def test_nobody_was_given_an_address_that_a_firewall_would_close(mixed):
    peers = {site: yaml.safe_load((mixed.folder / "workspaces" / site / "plan/peers.yaml").read_text()) for site in SITES}
    assert [site for site in SITES if peers[site]["listen"]] == ["site_a", "site_b"]
    called = {site: [name for name, address in peers[site]["peers"].items() if address] for site in SITES}
    assert called == {"site_a": ["site_b"], "site_b": ["site_a"], "site_c": ["site_a", "site_b"], "site_d": []}


def test_everybodys_knowledge_reached_everybody(mixed):
    for site in SITES:
        outcomes = {event["peer"]: event["outcome"] for event in events(mixed, site, "closing")}
        assert outcomes == {peer: "received" for peer in SITES if peer != site}
    first, *others = [read_model(mixed.folder / "save" / site / "consensus.safetensors")[1] for site in SITES]
    assert all(np.array_equal(first[name], other[name]) for other in others for name in first)
    owns = [read_model(mixed.folder / "save" / site / "last.safetensors")[1] for site in SITES]
    assert not any(all(np.array_equal(owns[0][name], other[name]) for name in owns[0]) for other in owns[1:])


def test_each_went_its_own_way(mixed):
    brought = {(event["peer"], event["outcome"]) for event in events(mixed, "site_c", "push")}
    assert brought == {("site_a", "brought"), ("site_b", "brought")}
    assert not any(events(mixed, site, "push") for site in SITES if site != "site_c")
    sent_to = [event.get("sent_to", {}) for event in events(mixed, "site_d", "exchange", "closing", "served")]
    assert {name for entry in sent_to for name in entry} == {"folder"}


def test_the_report_says_that_all_four_took_part(mixed):
    manifests = summary(mixed)["participation"]
    assert sorted(manifests) == SITES
    for manifest in manifests.values():
        assert manifest["expected"] == manifest["present"] == SITES and manifest["met"] == manifest["quorum"] == 4
        assert manifest["missing"] == manifest["unknown"] == []
    assert "site_d: 4, 4, 4" in mixed.output
