"""A site that falls silent in the middle of a simulated run: what it leaves, and what the others make of it."""

import time
from pathlib import Path

import pytest
from rich.console import Console

from experiments.federation.plan import change_plan, read_plan, set_rounds
from experiments.federation.traffic import traffic_of_exchanges
from experiments.silent_site import SilentSite
from experiments.simulation import simulate
from src.errors import FederationError
from src.model.card import read_model
from tests.conftest import write_sphere_dataset
from tests.experiments.simulation.runs import (
    TINY,
    Stopped,
    StopsAfter,
    assert_same_run,
    content,
    events,
    same_bits,
    tensors,
    timeless,
)

SITES, STAYING, GONE, ROUNDS, FROM_ROUND = ("site_a", "site_b", "site_c"), ("site_b", "site_c"), "site_a", 3, 2
SILENT = SilentSite(site=GONE, from_round=FROM_ROUND)
STOP_AFTER_LINES = (4, 8, 4)
PLAN = "gossip_head_neck"
CHANGES = [
    # Everybody asks both others before every round but the first.
    *("collaborator.settings.exchange.schedule=full", "collaborator.settings.exchange.warm_up_rounds=1"),
    *("collaborator.settings.exchange.exchange_every=1", "collaborator.settings.exchange.local_rounds_at_end=0"),
    "collaborator.settings.completion.steps=0",
    *(f"data_loader.settings.{name}" for name in ("spacing_mm=[4.0, 4.0, 5.0]", "patch_voxels=[16, 16, 16]")),
]


def plan() -> dict:
    found = read_plan(PLAN)
    set_rounds(found, ROUNDS)
    change_plan(found, [*TINY, *CHANGES])
    return found


@pytest.fixture(scope="module")
def three_sites(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("three_sites")
    for site in SITES:
        write_sphere_dataset(root / site, site=site, cases=3)
    return root


@pytest.fixture(scope="module")
def runs(three_sites, tmp_path_factory) -> dict[str, Path]:
    """The same run with all sites, and with one that falls silent; and how long the second took."""
    root = tmp_path_factory.mktemp("runs")
    whole = simulate(plan(), PLAN, three_sites, root / "whole", cache=root / "cache")
    began = time.monotonic()
    silent = simulate(plan(), PLAN, three_sites, root / "silent", cache=root / "cache", silent=SILENT)
    return {"whole": whole, "silent": silent, "seconds": time.monotonic() - began}


def test_until_then_nothing_is_different(runs):
    for site in SITES:
        for phase in ("train", "validate", "exchange"):
            found, expected = (
                [row for row in events(runs[name], site, phase) if row["round"] < FROM_ROUND] for name in ("silent", "whole")
            )
            assert found == expected and (found or phase == "exchange")


def test_the_silent_site_trains_no_more_and_keeps_its_model_of_the_round_before(runs):
    run = runs["silent"]
    for phase in ("train", "validate"):
        assert [row["round"] for row in events(run, GONE, phase)] == list(range(FROM_ROUND))
    assert read_model(run / "save" / GONE / "last.safetensors")[0].round == FROM_ROUND
    assert not (run / "save" / GONE / "consensus.safetensors").exists()
    assert not events(run, GONE, "closing")


def test_each_exchange_with_it_fails_once_and_the_others_go_on(runs):
    for site in STAYING:
        (other,) = set(STAYING) - {site}
        asked = {(row["round"], row["peer"]): row["outcome"] for row in events(runs["silent"], site, "exchange")}
        for number in range(1, ROUNDS):
            assert asked.pop((number, other)) == "received"
            assert asked.pop((number, GONE)) == ("received" if number < FROM_ROUND else "unreachable")
        assert not asked
        assert [row["round"] for row in events(runs["silent"], site, "train")] == list(range(ROUNDS))
    # The plan's waits are hours; what is waited here for a site that is gone is nothing beside the training.
    assert runs["seconds"] < 60


def test_what_all_agree_on_is_made_of_those_present(runs):
    run = runs["silent"]
    for site in STAYING:
        closing = {row["peer"]: row["outcome"] for row in events(run, site, "closing")}
        assert closing.pop(GONE) == "unreachable" and set(closing.values()) == {"received"}
        (consensus,) = events(run, site, "consensus")
        assert consensus["sites"] == list(STAYING)
    assert same_bits(*(tensors(run / "save" / site / "consensus.safetensors") for site in STAYING))


def test_models_and_costs_are_whole(runs):
    run = runs["silent"]
    listed = [(row["arm"], row["model_site"], row["which"], row["path"]) for row in content(run, "models.json")]
    own = [("gossip", site, which, f"save/{site}/{which}.safetensors") for site in SITES for which in ("last", "best")]
    assert listed == [*own, ("gossip_consensus", None, "last", "save/site_b/consensus.safetensors")]
    cost = content(run, "cost.json")
    assert {site: entry["steps"] for site, entry in cost["sites"].items()} == {
        site: 2 * (FROM_ROUND if site == GONE else ROUNDS) for site in SITES
    }
    # Whatever was received somebody sent, the silent site too, though it was not there any more to say so.
    sent, received = ({site: cost["sites"][site][f"{way}_bytes"] for site in SITES} for way in ("sent", "received"))
    pulled = {site: sum(row["received_bytes"] for row in cost["exchanges"] if row["peer"] == site) for site in SITES}
    assert sent == pulled and sum(sent.values()) == sum(received.values()) and min(sent.values()) > 0
    assert content(run, "summary.json")["rounds"] == ROUNDS
    for site in SITES:
        assert (
            traffic_of_exchanges([row for row in timeless(run / "metrics.jsonl") if row["site"] == site]).sent_bytes
            == sent[site]
        )


def test_stopped_again_and_again_it_ends_the_same(runs, three_sites, tmp_path):
    """Before it falls silent, in the round in which it does, and when the others have only the end before them."""
    run, cache = tmp_path / "run", runs["silent"].parent / "cache"
    for lines in STOP_AFTER_LINES:
        console = Console(file=StopsAfter(lines), force_terminal=False)
        with pytest.raises(Stopped):
            simulate(plan(), PLAN, three_sites, run, cache=cache, silent=SILENT, resume=True, console=console)
    simulate(plan(), PLAN, three_sites, run, cache=cache, silent=SILENT, resume=True)
    assert_same_run(run, runs["silent"])


def test_a_run_is_not_gone_on_with_as_another(runs, three_sites):
    with pytest.raises(FederationError, match="another by silent"):
        simulate(plan(), PLAN, three_sites, runs["silent"], resume=True)
    with pytest.raises(FederationError, match="another by silent"):
        simulate(plan(), PLAN, three_sites, runs["whole"], resume=True, silent=SILENT)
