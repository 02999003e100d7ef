"""The loop, with toy learners and an in-memory network: laws of mixing, restarts, absences, endings."""

import json
import threading
from itertools import pairwise

import pytest
import torch

from experiments.simulation import run_in_turns
from experiments.toy_learner import exchange_settings, timing_settings
from src.errors import CheckpointError, FederationError, QuorumNotMet
from src.exchange.participation import read_manifest
from tests.src.exchange.in_memory_federation import ROSTER, Federation, digest


@pytest.mark.parametrize("num_sites", [2, 4, 8, 16])
@pytest.mark.parametrize("exchange_every", [1, 2])
def test_one_peer_mixes_exactly_in_lock_step(tmp_path, num_sites, exchange_every):
    roster = [f"site_{index:02d}" for index in range(num_sites)]
    exchanges = num_sites.bit_length() - 1
    federation = Federation(
        tmp_path,
        roster,
        rounds=1 + exchange_every * exchanges,
        exchange=exchange_settings(lock_step=True, exchange_every=exchange_every),
        learner={"pull": 0.0, "noise": 0.0, "spread": 1.0},
    )
    mean = federation.models().mean(dim=0)
    for site in federation.sites.values():
        site.resume()
    distances = []
    for _ in range(1 + exchange_every * exchanges):
        for site in federation.sites.values():
            site.step()
        distances.append(float((federation.models() - mean).norm(dim=1).max()))
    assert distances[0] > 1, "the sites begin apart"
    assert distances[-1] < 1e-4
    assert all(later < sooner + 1e-4 for sooner, later in pairwise(distances))
    assert torch.allclose(federation.models().mean(dim=0), mean, atol=1e-5), "averaging keeps the mean"


@pytest.mark.parametrize("schedule", ["one_peer_exponential", "base_k_plus_1", "random", "ring", "full", "chain", "none"])
def test_every_schedule_runs_to_its_end(tmp_path, schedule):
    federation = Federation(tmp_path, rounds=4, exchange=exchange_settings(schedule, lock_step=schedule != "chain"))
    run_in_turns(list(federation.sites.values()))
    for site in ROSTER:
        assert [event["round_number"] for event in federation.of(site, "train")] == [0, 1, 2, 3]
        assert federation.sites[site].closed
        assert not [event for event in federation.of(site, "exchange") if event["outcome"] != "received"]
        assert federation.sites[site].learner.finals == ([] if schedule == "none" else ROSTER)


def test_the_chain_hands_one_model_through_the_sites(tmp_path):
    federation = Federation(tmp_path, rounds=2, exchange=exchange_settings("chain"), learner={"pull": 0.0, "noise": 1.0})
    run_in_turns(list(federation.sites.values()))
    pulled = [(event["round_number"], site, event["peer"]) for site in ROSTER for event in federation.of(site, "exchange")]
    assert sorted(pulled) == [
        (0, "site_b", "site_a"), (0, "site_c", "site_b"), (0, "site_d", "site_c"),
        (1, "site_a", "site_d"), (1, "site_b", "site_a"), (1, "site_c", "site_b"), (1, "site_d", "site_c"),
    ]  # fmt: skip


def test_a_site_alone_trains_alone(tmp_path):
    alone = Federation(tmp_path / "alone", exchange=exchange_settings("none"))
    run_in_turns([alone.sites["site_b"]])
    deserted = Federation(
        tmp_path / "deserted", exchange=exchange_settings(), timing=timing_settings(closing_wait_s=0.1, serve_after_s=0.1)
    )
    for site in ("site_a", "site_c", "site_d"):
        deserted.network.take_offline(site)
    deserted.sites["site_b"].run()
    assert digest(deserted.sites["site_b"]) == digest(alone.sites["site_b"])
    assert {event["outcome"] for event in deserted.of("site_b", "exchange")} == {"unreachable"}
    assert deserted.of("site_b", "exchange"), "it asked"


def test_a_restarted_site_goes_on_bit_for_bit(tmp_path):
    undisturbed = Federation(tmp_path / "undisturbed", rounds=6)
    run_in_turns(list(undisturbed.sites.values()))
    disturbed = Federation(tmp_path / "disturbed", rounds=6)
    for site in disturbed.sites.values():
        site.resume()
    for round_number in range(6):
        for name in ROSTER:
            if (round_number + ROSTER.index(name)) % 2:
                disturbed.sites[name] = disturbed.make(name)
                disturbed.sites[name].resume()
            disturbed.sites[name].step()
    for name in ROSTER:
        assert digest(disturbed.sites[name]) == digest(undisturbed.sites[name])


def test_a_site_stopped_within_a_round_repeats_its_exchange_from_disk(tmp_path, monkeypatch):
    undisturbed = Federation(tmp_path / "undisturbed", rounds=3)
    run_in_turns(list(undisturbed.sites.values()))
    federation = Federation(tmp_path / "disturbed", rounds=3)
    for site in federation.sites.values():
        site.resume()
        site.step()
    victim = federation.sites["site_a"]
    monkeypatch.setattr(victim.learner, "learn", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        victim.step()
    # Nobody answers now, and it must not matter.
    for name in ROSTER[1:]:
        federation.network.take_offline(name)
    federation.sites["site_a"] = federation.make("site_a")
    federation.sites["site_a"].resume()
    federation.sites["site_a"].step()
    first, second = federation.of("site_a", "exchange")
    assert (first["outcome"], first["replayed"]) == ("received", False)
    assert (second["outcome"], second["replayed"]) == ("received", True)
    for name in ROSTER[1:]:
        federation.network.bring_online(name)
    for name in ROSTER[1:]:
        federation.sites[name].step()
    for site in federation.sites.values():
        site.step()
    assert [digest(site) for site in federation.sites.values()] == [digest(site) for site in undisturbed.sites.values()]


def test_what_was_learnt_from_is_not_learnt_from_again(tmp_path):
    federation = Federation(tmp_path, ["site_a", "site_b"], rounds=5, exchange=exchange_settings())
    for site in federation.sites.values():
        site.resume()
        site.step()
    for _ in range(3):
        federation.sites["site_a"].step()
    assert [event["outcome"] for event in federation.of("site_a", "exchange")] == ["received", "nothing_new", "nothing_new"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"federation_id": "other"}, "federation"),
        ({"run_id": "last month"}, "run"),
        ({"architecture_hash": "other"}, "architecture"),
        ({"initial_digest": "other"}, "initial"),
    ],
)
def test_a_foreign_site_is_refused_and_training_goes_on(tmp_path, changes, reason):
    federation = Federation(tmp_path, ["site_a", "site_b"], rounds=3, exchange=exchange_settings())
    federation.sites["site_b"] = federation.make("site_b", **changes)
    for site in federation.sites.values():
        site.resume()
    for _ in range(3):
        for site in federation.sites.values():
            site.step()
    for name in ("site_a", "site_b"):
        exchanges = federation.of(name, "exchange")
        assert [(event["outcome"], event["reason"]) for event in exchanges] == [("refused", reason)] * 2
        assert len(federation.of(name, "train")) == 3


def test_a_site_that_lost_its_disk_is_heard_again_in_a_new_epoch(tmp_path):
    federation = Federation(tmp_path, ["site_a", "site_b"], rounds=9, exchange=exchange_settings())
    for site in federation.sites.values():
        site.resume()
    for _ in range(3):
        for site in federation.sites.values():
            site.step()
    federation.folder = tmp_path / "new disk"
    federation.sites["site_b"] = federation.make("site_b")
    federation.sites["site_b"].resume()
    federation.sites["site_b"].step()
    federation.sites["site_a"].step()
    assert federation.of("site_a", "exchange")[-1]["reason"] == "replay", "it cannot be told from somebody who replays"
    federation.sites["site_b"] = federation.make("site_b", epoch=2)
    federation.sites["site_b"].resume()
    federation.sites["site_b"].step()
    federation.sites["site_a"].step()
    assert federation.of("site_a", "exchange")[-1]["outcome"] == "received"


def test_a_model_that_went_wrong_is_not_offered(tmp_path):
    federation = Federation(tmp_path, ["site_a", "site_b"], rounds=4, exchange=exchange_settings())
    site_a, site_b = federation.sites.values()
    for site in (site_a, site_b):
        site.resume()
        site.step()
    site_b.learner.target[0] = float("nan")
    for site in (site_b, site_a, site_a):
        site.step()
    assert torch.isfinite(site_a.learner.weights).all()
    assert site_b.outbox.newest().manifest.round == 1


def test_sites_end_together_whatever_their_pace(tmp_path):
    federation = Federation(tmp_path, rounds=3, exchange=exchange_settings())
    paces = dict(zip(ROSTER, (0.0, 0.05, 0.2, 0.4), strict=True))
    for name, site in federation.sites.items():
        site.learner.round_s = paces[name]
    threads = [threading.Thread(target=site.run) for site in federation.sites.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in threads)
    assert {tuple(site.learner.finals) for site in federation.sites.values()} == {tuple(ROSTER)}


def test_bytes_sent_are_the_bytes_received(tmp_path):
    federation = Federation(tmp_path)
    run_in_turns(list(federation.sites.values()))
    sent = sum(event.get("sent_bytes", 0) for events in federation.events.values() for event in events)
    received = sum(event.get("received_bytes", 0) for events in federation.events.values() for event in events)
    assert sent == received == sum(federation.network.sent_bytes(site) for site in ROSTER) > 0


def test_a_spoiled_checkpoint_costs_a_round_not_the_run(tmp_path):
    federation = Federation(tmp_path, ["site_a", "site_b"], rounds=6)
    for site in federation.sites.values():
        site.resume()
        site.step()
        site.step() if site.site == "site_b" else None
    federation.sites["site_a"].step()
    path = tmp_path / "site_a" / "checkpoint" / "checkpoint.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    again = federation.make("site_a")
    again.resume()
    assert again.round == 1
    path.with_name("checkpoint.before.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="epoch"):
        federation.make("site_a").resume()


def test_no_event_holds_what_json_cannot(tmp_path):
    federation = Federation(tmp_path, rounds=2)
    run_in_turns(list(federation.sites.values()))
    for events in federation.events.values():
        json.dumps(events)


@pytest.mark.parametrize("changes", [{"run_id": "2"}, {"federation_id": "toy with more rounds"}])
def test_the_state_of_another_run_is_neither_taken_up_nor_lost(tmp_path, changes):
    federation = Federation(tmp_path, ["site_a", "site_b"], rounds=4)
    for site in federation.sites.values():
        site.resume()
        site.step()
    with pytest.raises(FederationError, match=r"found that of another .*move the state folder"):
        federation.make("site_a", **changes).run()
    again = federation.make("site_a")
    again.resume()
    assert again.round == 1


def test_a_model_that_the_disk_spoiled_within_a_round_is_fetched_again(tmp_path, monkeypatch):
    federation = Federation(tmp_path, ["site_a", "site_b"], rounds=3)
    for site in federation.sites.values():
        site.resume()
        site.step()
    victim = federation.sites["site_a"]
    monkeypatch.setattr(victim.learner, "learn", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        victim.step()
    (spooled,) = (tmp_path / "site_a" / "inbox").glob("*.snapshot")
    spooled.write_bytes(spooled.read_bytes()[:-1])
    again = federation.make("site_a")
    again.resume()
    again.step()
    first, second = federation.of("site_a", "exchange")
    assert (second["outcome"], second["replayed"]) == ("received", False)
    assert second["received_bytes"] == first["received_bytes"]


def test_the_end_is_made_of_the_models_before_the_rounds_alone(tmp_path):
    federation = Federation(
        tmp_path, ["site_a", "site_b"], rounds=9, exchange=exchange_settings(lock_step=True, local_rounds_at_end=4)
    )
    read = {}
    for site in federation.sites.values():
        site.learner.finish = lambda _, finals, __, name=site.site: read.setdefault(name, finals) and []
    run_in_turns(list(federation.sites.values()))
    for name in ("site_a", "site_b"):
        assert [(model.manifest.site, model.manifest.round) for model in read[name]] == [("site_a", 5), ("site_b", 5)]
    for one, other in zip(read["site_a"], read["site_b"], strict=True):
        assert all(torch.equal(tensor, other.read()[key]) for key, tensor in one.read().items())


THREE = ["site_a", "site_b", "site_c"]


def end_without_site_c(tmp_path, **changes):
    """Three sites, of which one never comes; those of the others that ended with an error, by name."""
    timing = timing_settings(closing_wait_s=0.5, serve_after_s=0.5, missing_after_s=0.01)
    exchange = exchange_settings("full", **changes)
    federation = Federation(tmp_path, THREE, rounds=3, exchange=exchange, timing=timing, learner={"round_s": 0.05})
    federation.network.take_offline("site_c")
    faults = {}

    def run(name):
        site = federation.sites[name]
        site.participation.path = tmp_path / name / "participation.json"
        try:
            site.run()
        except FederationError as error:
            faults[name] = error

    threads = [threading.Thread(target=run, args=(name,)) for name in THREE[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return federation, faults


def test_who_never_came_is_missing_in_every_manifest_and_loudly(tmp_path, caplog):
    federation, faults = end_without_site_c(tmp_path)
    assert faults == {}
    found = read_manifest(tmp_path / "site_a" / "participation.json")
    assert (found["expected"], found["present"], found["met"]) == (THREE, THREE[:2], 2)
    assert [(entry["site"], entry["was_met"]) for entry in found["missing"]] == [("site_c", False)]
    assert [entry["exchange"] for entry in found["exchanges"]] == [0, 1, "closing", "served"]
    assert all(entry["missing"] == ["site_c"] for entry in found["exchanges"])
    assert caplog.text.count("site_a: site_c IS MISSING: not heard of since") >= 2
    again = federation.make("site_a")
    again.resume()
    assert again.participation.manifest()["missing"] == found["missing"], "a restart does not begin to count anew"


def test_a_run_without_its_quorum_is_complete_and_ends_with_8(tmp_path):
    federation, faults = end_without_site_c(tmp_path, quorum=3)
    assert {type(error) for error in faults.values()} == {QuorumNotMet} and set(faults) == set(THREE[:2])
    assert "never met: site_c" in str(faults["site_a"])
    for name in THREE[:2]:
        assert federation.sites[name].closed and len(federation.of(name, "train")) == 3 and federation.of(name, "served")
