"""Whole runs through a folder: the same models as over any other line, endings, restarts, a site that was away."""

import shutil
from pathlib import Path

import pytest

from experiments.simulation import run_in_turns
from experiments.toy_learner import exchange_settings, timing_settings
from tests.src.exchange.folder.folder_federation import FolderFederation
from tests.src.exchange.in_memory_federation import Federation, digest

THREE = ["site_a", "site_b", "site_c"]
REPOSITORY = Path(__file__).resolve().parents[4]


def digests(federation):
    return {name: digest(site) for name, site in federation.sites.items()}


SLOW_SCHEDULES = [pytest.param(name, marks=pytest.mark.slow) for name in ("one_peer_exponential", "full", "chain")]


@pytest.mark.parametrize("schedule", ["base_k_plus_1", *SLOW_SCHEDULES])
def test_in_lock_step_the_models_are_those_of_a_run_in_memory(tmp_path, keys, schedule):
    settings = dict(rounds=3, exchange=exchange_settings(schedule, lock_step=schedule != "chain"))
    in_memory = Federation(tmp_path / "memory", THREE, **settings)
    run_in_turns(list(in_memory.sites.values()))
    federation = FolderFederation(tmp_path / "folder", keys, THREE, **settings)
    federation.run()
    assert digests(federation) == digests(in_memory)
    for site in THREE:
        assert federation.sites[site].closed and federation.sites[site].learner.finals == THREE
        assert {event["outcome"] for event in federation.of(site, "exchange")} == {"received"}
        assert sum(event.get("sent_to", {}).get("folder", 0) for event in federation.events[site]) > 0


def test_a_site_that_begins_when_the_others_have_gone_still_has_their_final_models(tmp_path, keys):
    """Nobody who has ended serves any more; but what is in the folder stays."""
    timing = timing_settings(closing_wait_s=1.2, serve_after_s=0.3)
    federation = FolderFederation(tmp_path, keys, THREE, rounds=2, exchange=exchange_settings("full"), timing=timing)
    federation.start("site_c")
    federation.leave("site_c")  # its certificate is there, it is not
    federation.run("site_a", "site_b")
    federation.sites["site_c"] = federation.make("site_c")
    federation.run("site_c")
    assert federation.sites["site_c"].learner.finals == THREE
    assert "site_c" not in federation.sites["site_a"].learner.finals


def test_a_site_that_is_restarted_goes_on_bit_for_bit_and_seals_nothing_twice(tmp_path, keys):
    undisturbed = Federation(tmp_path / "memory", THREE[:2], rounds=4)
    run_in_turns(list(undisturbed.sites.values()))
    federation = FolderFederation(tmp_path / "folder", keys, THREE[:2], rounds=4)
    federation.start("site_a")
    federation.sites["site_a"].resume()
    federation.sites["site_a"].step()
    federation.sites["site_a"] = federation.make("site_a")
    federation.run()
    assert digests(federation) == digests(undisturbed)
    sent_bytes = sum(event.get("sent_to", {}).get("folder", 0) for event in federation.events["site_a"])
    models = list(federation.shared.glob("site_a-*.model"))
    assert len(models) == 4
    assert sent_bytes <= sum(path.stat().st_size for path in models)


def test_an_old_set_of_files_teaches_nobody_anything_after_a_restart(tmp_path, keys):
    federation = FolderFederation(tmp_path, keys, THREE[:2], rounds=4, exchange=exchange_settings("full"))

    def step(site):
        federation.sites[site].step()
        federation.settle()

    for site in federation.sites.values():
        site.resume()
        step(site.site)
    shutil.copytree(federation.shared, tmp_path / "old set")
    step("site_b")
    step("site_a")
    for path in (tmp_path / "old set").iterdir():
        shutil.copy(path, federation.shared)
    federation.sites["site_a"] = federation.make("site_a")
    federation.sites["site_a"].resume()
    federation.sites["site_a"].step()
    first, second = federation.of("site_a", "exchange")
    assert (first["outcome"], second["outcome"], second["reason"]) == ("received", "refused", "replay")


def test_own_files_are_cleaned_up_and_those_somebody_may_wait_for_are_kept(tmp_path, keys):
    settings = dict(rounds=5, exchange=exchange_settings("full"), timing=timing_settings(closing_wait_s=20))
    federation = FolderFederation(tmp_path, keys, THREE[:2], **settings)
    federation.run()
    for site in THREE[:2]:
        left = {path.name for path in federation.shared.glob(f"{site}-*.model")}
        assert left == {f"{site}-1-{number}.model" for number in (3, 4, 5)}
    assert not list(federation.shared.glob(".*"))
