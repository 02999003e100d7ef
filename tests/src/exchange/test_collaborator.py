"""The collaborator that OpenFL starts, over real TLS with real networks: alone, in a pair, and when something is wrong."""

import json
import threading
import time
from types import SimpleNamespace

import pytest
import yaml

from experiments.federation.plan import free_ports, is_listening
from experiments.toy_learner import exchange_settings, timing_settings
from src.dataloader import HeadNeckCTLoader
from src.errors import PlanSettingError
from src.exchange.collaborator import GossipCollaborator
from src.exchange.state_lock import state_lock
from src.model.card import read_model, write_model
from src.model.state import network_state
from src.task_runner import SegmentationTaskRunner
from tests.conftest import SPHERE_STRUCTURES, write_sphere_dataset
from tests.src.exchange.folder.folder_sites import RsaAuthority
from tests.src.exchange.tls import ExchangeAuthority

LEARNING = dict(
    rule=["average"],
    survivor="keep",
    divergence_weight=0.1,
    ramp_rounds=1,
    region_dilation_mm=10,
    gate_width=0.1,
    gate_smoothing=0.5,
    peer_tolerance=1,
    opt_treatment="CONTINUE_LOCAL",
)
COMPLETION = dict(steps=2, learning_rate=0.003, largest_loss=1)
PAIR = ["site_a", "site_b"]


@pytest.fixture
def make(tmp_path, sphere_dataset, loader_settings, runner_settings):
    """A collaborator as OpenFL would make it; by default one that is alone."""

    def make(site="site_a", data=sphere_dataset.path, client=None, **changes):
        loader = HeadNeckCTLoader(data, **{**loader_settings, "cache_path": str(tmp_path / "cache" / site)})
        runner = SegmentationTaskRunner(loader, **{**runner_settings, "steps_per_round": 2})
        initial = tmp_path / "initial.safetensors"
        if not initial.is_file():
            write_model(initial, runner.card(), network_state(runner.network))
        settings = dict(
            collaborator_name=site,
            aggregator_uuid="aggregator_plan.yaml_1",
            federation_uuid="plan.yaml_1",
            client=client,
            task_runner=runner,
            task_config={},
            compression_pipeline=None,
            secure_aggregation=False,
            roster=PAIR,
            run_id="run_1",
            rounds=2,
            init_state_path=str(initial),
            peers_path=str(tmp_path / f"peers_{site}.yaml"),
            state_path=str(tmp_path / "local_state"),
            exchange=vars(exchange_settings("none")),
            learning=LEARNING,
            completion=COMPLETION,
            timing=vars(timing_settings()),
        )
        return GossipCollaborator(**{**settings, **changes})

    return make


def events(tmp_path, site, phase):
    lines = (tmp_path / "logs" / site / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["phase"] == phase]


# Settings.


def test_a_site_that_is_not_in_the_roster_is_told_who_is(make):
    with pytest.raises(PlanSettingError, match=r"roster: expected this site's name 'site_x', found site_a, site_b; check"):
        make("site_x")


@pytest.mark.parametrize(
    ("section", "settings"),
    [
        ("exchange", vars(exchange_settings("none"))),
        ("learning", LEARNING),
        ("completion", COMPLETION),
        ("timing", vars(timing_settings())),
    ],
)
def test_a_nested_setting_that_is_misspelt_or_missing_is_named(make, section, settings):
    name, *_ = settings
    with pytest.raises(PlanSettingError, match=rf"collaborator\.{section}: .*'{name}s'"):
        make(**{section: {**settings, f"{name}s": 1}})
    with pytest.raises(PlanSettingError, match=rf"collaborator\.{section}: .*'{name}'"):
        make(**{section: {key: value for key, value in settings.items() if key != name}})
    with pytest.raises(PlanSettingError, match=rf"collaborator\.{section}"):
        make(**{section: None})


@pytest.mark.parametrize("rounds", [0, -1, 1.5, True, "2"])
def test_impossible_rounds_are_named(make, rounds):
    with pytest.raises(PlanSettingError, match=r"collaborator\.rounds: expected a whole number of at least 1"):
        make(rounds=rounds)


# Alone.


def test_an_individual_plan_needs_neither_peers_nor_certificates(tmp_path, make, capsys):
    collaborator = make()
    collaborator.ping()
    assert "exchanges nothing" in capsys.readouterr().out
    collaborator.run()
    assert len(events(tmp_path, "site_a", "train")) == 2
    assert {path.name for path in (tmp_path / "save" / "site_a").iterdir()} == {"best.safetensors", "last.safetensors"}
    card, _ = read_model(tmp_path / "save" / "site_a" / "last.safetensors")
    assert (card.site, card.round, card.federation) == ("site_a", 2, "plan.yaml_1")
    before = (tmp_path / "save" / "site_a" / "last.safetensors").read_bytes()
    make().run()
    assert len(events(tmp_path, "site_a", "train")) == 2, "started again, it has nothing left to do"
    assert (tmp_path / "save" / "site_a" / "last.safetensors").read_bytes() == before


def end_of(run) -> int:
    with pytest.raises(SystemExit) as ended:
        run()
    return ended.value.code


def test_how_the_process_ends_says_what_is_wrong(tmp_path, make, capsys):
    collaborator = make()
    with state_lock(tmp_path / "local_state" / "site_a"):
        assert end_of(collaborator.run) == 1
    assert "the only process of site 'site_a'" in capsys.readouterr().err
    assert end_of(make(init_state_path=str(tmp_path / "init.pbuf")).run) == 1
    assert "ModelCardError: expected the weights that all sites begin with" in capsys.readouterr().err
    assert end_of(make(exchange=vars(exchange_settings("ring"))).run) == 1
    assert "plan/peers.yaml: expected this file" in capsys.readouterr().err
    state = tmp_path / "local_state" / "site_a" / "checkpoint"
    state.mkdir(parents=True)
    (state / "checkpoint.safetensors").write_bytes(b"spoiled")
    assert end_of(make().run) == 7
    said = capsys.readouterr().err
    assert said.startswith("CheckpointError: expected a checkpoint that can be read")
    assert "Traceback" not in said and str(tmp_path) not in said


# In a pair.


@pytest.fixture
def pair(tmp_path, make):
    """What makes a collaborator of a pair; site_a only calls, site_b serves and cannot call it."""
    authority, (port,) = ExchangeAuthority(tmp_path / "cert"), free_ports(1)
    clients = {site: SimpleNamespace(**authority.issue(site)) for site in PAIR}
    data = write_sphere_dataset(tmp_path / "data", site="site_b", structures=SPHERE_STRUCTURES[:2])
    peers = {
        "site_a": {"listen": None, "epoch": 1, "peers": {"site_b": f"127.0.0.1:{port}"}},
        "site_b": {"listen": f"127.0.0.1:{port}", "epoch": 1, "peers": {"site_a": None}},
    }
    for site, content in peers.items():
        (tmp_path / f"peers_{site}.yaml").write_text(yaml.safe_dump(content))

    def make_one(site, **changes):
        settings = dict(
            exchange=vars(exchange_settings("ring", wire_dtype="float16")),
            timing=vars(timing_settings(closing_wait_s=60, serve_after_s=60)),
            client=clients[site],
        )
        return make(site, **{"data": data.path, **settings, **changes} if site == "site_b" else {**settings, **changes})

    make_one.port, make_one.clients = port, clients
    return make_one


def test_a_site_behind_a_firewall_learns_and_both_end(tmp_path, pair, capsys):
    serving = threading.Thread(target=pair("site_b").run, daemon=True)
    serving.start()
    deadline = time.monotonic() + 60
    while not (tmp_path / "save" / "site_b" / "last.safetensors").is_file() or not is_listening(pair.port):
        assert serving.is_alive() and time.monotonic() < deadline
        time.sleep(0.1)
    calling = pair("site_a")
    calling.ping()
    assert "site_b: " in capsys.readouterr().out
    calling.run()
    serving.join(30)
    assert not serving.is_alive(), "it heard that the other is done, though it cannot call it"
    (exchange,) = events(tmp_path, "site_a", "exchange")
    assert (exchange["peer"], exchange["outcome"]) == ("site_b", "received")
    (refused,) = events(tmp_path, "site_b", "exchange")
    assert (refused["outcome"], refused["received_bytes"]) == ("unreachable", 0)
    assert events(tmp_path, "site_a", "consensus")[0]["sites"] == PAIR
    received = sum(event.get("received_bytes", 0) for event in map(json.loads, lines_of(tmp_path, "site_a")))
    sent = sum(event.get("sent_bytes", 0) for event in map(json.loads, lines_of(tmp_path, "site_b")))
    assert received == sent > 0
    # Gone now.
    assert end_of(pair("site_a").ping) == 1
    said = capsys.readouterr()
    assert "site_b: site_b at 127.0.0.1" in said.out
    assert "expected an answer of every peer, found none of site_b" in said.err


def test_a_site_that_is_outbound_in_the_plan_teaches_too_though_nobody_can_call_it(tmp_path, pair, capsys):
    table = {"exchange": vars(exchange_settings("ring", wire_dtype="float16", reachability={"site_a": "outbound"}))}
    serving = pair("site_b", **table)
    ending = threading.Thread(target=serving.run, daemon=True)
    ending.start()
    deadline = time.monotonic() + 60
    while not is_listening(pair.port):
        assert ending.is_alive() and time.monotonic() < deadline
        time.sleep(0.1)
    pair("site_a", **table).run()
    ending.join(30)
    assert not ending.is_alive(), "it heard that the other is done, though it cannot call it"
    assert events(tmp_path, "site_b", "consensus")[0]["sites"] == PAIR
    assert events(tmp_path, "site_b", "closing")[0]["outcome"] == "received"
    assert {event["outcome"] for event in events(tmp_path, "site_a", "push")} == {"brought"}
    sent = sum(event.get("sent_bytes", 0) for event in map(json.loads, lines_of(tmp_path, "site_a")))
    received = sum(event.get("received_bytes", 0) for event in map(json.loads, lines_of(tmp_path, "site_b")))
    assert received == sent > 0
    capsys.readouterr()
    pair("site_b", **table).ping()
    assert "site_a: by the plan it calls this site; not asked" in capsys.readouterr().out


def test_a_table_by_which_the_sites_never_meet_is_refused_at_the_start(pair):
    with pytest.raises(PlanSettingError, match="never meet"):
        pair("site_a", exchange=vars(exchange_settings(reachability=dict.fromkeys(PAIR, "outbound"))))


def lines_of(tmp_path, site):
    return (tmp_path / "logs" / site / "metrics.jsonl").read_text(encoding="utf-8").splitlines()


def test_somebody_elses_certificate_is_refused_before_anybody_is_called(tmp_path, pair, capsys):
    assert end_of(pair("site_a", client=pair.clients["site_b"]).run) == 1
    assert "own certificate cannot be used: expected a certificate of site_a" in capsys.readouterr().err
    absent = SimpleNamespace(certificate="none.crt", private_key="none.key", root_certificate="none.crt")
    assert end_of(pair("site_a", client=absent).run) == 1
    assert "FederationError" in capsys.readouterr().err


def test_an_address_that_is_taken_is_said_at_once(tmp_path, pair, capsys):
    peers = yaml.safe_load((tmp_path / "peers_site_b.yaml").read_text())
    (tmp_path / "peers_site_b.yaml").write_text(yaml.safe_dump({**peers, "listen": "192.0.2.1:50051"}))
    assert end_of(pair("site_b").run) == 1
    assert "expected to listen on 192.0.2.1:50051" in capsys.readouterr().err


# In a folder.


@pytest.fixture
def folder_pair(tmp_path, make):
    """What makes a collaborator of a pair that shares nothing but a folder."""
    authority = RsaAuthority(tmp_path / "rsa")
    clients = {site: SimpleNamespace(**authority.issue(site)) for site in PAIR}
    data = write_sphere_dataset(tmp_path / "data", site="site_b", structures=SPHERE_STRUCTURES[:2])
    shared = tmp_path / "shared"
    shared.mkdir()
    for own, other in (PAIR, PAIR[::-1]):
        content = {"listen": None, "epoch": 1, "peers": {other: None}, "folder": str(shared)}
        (tmp_path / f"peers_{own}.yaml").write_text(yaml.safe_dump(content))

    def make_one(site, **changes):
        settings = dict(
            exchange=vars(exchange_settings("ring", reachability=dict.fromkeys(PAIR, "folder"), lock_step=True)),
            timing=vars(timing_settings(closing_wait_s=60, serve_after_s=60)),
            client=clients[site],
        )
        return make(site, **{"data": data.path, **settings, **changes} if site == "site_b" else {**settings, **changes})

    make_one.shared = shared
    return make_one


def test_two_sites_that_share_nothing_but_a_folder_learn_from_each_other_and_both_end(tmp_path, folder_pair, capsys):
    assert end_of(folder_pair("site_a").ping) == 1
    assert "site_b: site_b: expected the file site_b.card" in capsys.readouterr().out
    other = threading.Thread(target=folder_pair("site_b").run, daemon=True)
    other.start()
    folder_pair("site_a").run()
    other.join(60)
    assert not other.is_alive()
    for site, peer in (PAIR, PAIR[::-1]):
        (exchange,) = events(tmp_path, site, "exchange")
        assert (exchange["peer"], exchange["outcome"]) == (peer, "received")
        assert events(tmp_path, site, "consensus")[0]["sites"] == PAIR
    folder_pair("site_a").ping()
    assert "site_b: closed, 2 rounds done" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_asked_for_by_its_entry(tmp_path, folder_pair, capsys):
    folder_pair.shared.rmdir()
    assert end_of(folder_pair("site_a").run) == 1
    assert (
        "plan/peers.yaml: folder: expected the synchronised folder in which this site meets site_b" in capsys.readouterr().err
    )
    content = yaml.safe_load((tmp_path / "peers_site_a.yaml").read_text())
    del content["folder"]
    (tmp_path / "peers_site_a.yaml").write_text(yaml.safe_dump(content))
    assert end_of(folder_pair("site_a").run) == 1
    assert "found none; mount it and write its path there" in capsys.readouterr().err
