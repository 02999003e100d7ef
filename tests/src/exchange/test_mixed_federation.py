"""Two sites call each other, one only calls, one has nothing but a folder: they learn as if all could call each other."""

import pytest

from experiments.simulation import run_in_turns
from experiments.toy_learner import exchange_settings, timing_settings
from src.exchange import closing
from tests.src.exchange.in_memory_federation import ROSTER, Federation, digest
from tests.src.exchange.mixed_federation import MixedFederation

MIXED = {"site_c": "outbound", "site_d": "folder"}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(closing, "_PAUSE_S", 0.05)


def exchange(schedule, **changes):
    return exchange_settings(schedule, reachability=MIXED, folder=True, **changes)


def mixed(folder, schedule, **settings):
    lock_step = settings.pop("lock_step", True)
    federation = MixedFederation(folder, ROSTER, exchange=exchange(schedule, lock_step=lock_step), **settings)
    with federation.open:
        federation.run()
    return federation


def numbers_of(folder):
    return {path.name.split("-")[0] for path in folder.glob("*.model")}


@pytest.mark.parametrize("schedule", ["base_k_plus_1", pytest.param("full", marks=pytest.mark.slow)])
def test_the_models_are_those_of_four_sites_that_all_call_each_other(tmp_path, schedule):
    in_memory = Federation(tmp_path / "memory", ROSTER, rounds=4, exchange=exchange_settings(schedule, lock_step=True))
    run_in_turns(list(in_memory.sites.values()))
    found = mixed(tmp_path / "mixed", schedule, rounds=4)
    assert {site: digest(found.sites[site]) for site in ROSTER} == {site: digest(in_memory.sites[site]) for site in ROSTER}
    for site in ROSTER:
        assert found.sites[site].learner.finals == ROSTER
        assert found.outcomes(site) == {"received"}
    # Each by its own way: only the site that nobody can call brings, and everybody writes for the one that has a folder alone.
    assert {site: bool(found.of(site, "push")) for site in ROSTER} == dict.fromkeys(ROSTER, False) | {"site_c": True}
    assert {event["peer"] for event in found.of("site_c", "push")} == {"site_a", "site_b"}
    assert numbers_of(found.shared) == set(ROSTER)


def test_without_lock_step_everybody_is_heard_by_everybody_and_the_manifests_say_so(tmp_path):
    timing = timing_settings(closing_wait_s=30, serve_after_s=30)
    found = mixed(tmp_path / "mixed", "full", rounds=4, lock_step=False, timing=timing)
    for site in ROSTER:
        assert found.sites[site].learner.finals == ROSTER
        manifest = found.sites[site].participation.manifest()
        assert manifest["expected"] == manifest["present"] == ROSTER and manifest["met"] == 4
        assert manifest["missing"] == manifest["unknown"] == []
