"""Sites without an aggregator as real fx processes: the same numbers as in one process, and the same after a kill."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from data_prep.phantom.generate import make_federation
from experiments.federation.plan import free_ports, plan_bytes
from experiments.federation.processes import process_environment
from experiments.simulation import simulate
from src.data.dataset import Dataset
from src.exchange.credentials import Credentials
from src.exchange.identity import certified_name, checked_certificate
from src.exchange.transport import PeerRefused, PeerUnreachable
from src.model.card import read_model
from tests.experiments.conftest import QUICK_GOSSIP, run_command
from tests.src.exchange.tls import ExchangeAuthority

pytestmark = pytest.mark.slow

FX = str(Path(sys.executable).parent / "fx")
_LONGEST_S = 600


class Copies:
    """Workspaces of a finished run, as they were before it began; their sites are started by the command people type.

    Args:
        run: the finished run's folder.
        folder: where the copies go.
        changes: of ``collaborator.settings.exchange``; another plan is another federation, with the same certificates.
    """

    def __init__(self, run: Path, folder: Path, **changes) -> None:
        self.plan = yaml.safe_load((run / "config" / "plan.yaml").read_text(encoding="utf-8"))
        self.plan["collaborator"]["settings"]["exchange"].update(changes)
        self.sites: list[str] = self.plan["collaborator"]["settings"]["roster"]
        self.folder, self.processes = folder, {}
        self.ports = dict(zip(self.sites, free_ports(len(self.sites)), strict=True))
        for site in self.sites:
            self._copy(run / "workspaces" / site, site)

    def _copy(self, workspace: Path, site: str) -> None:
        ignored = shutil.ignore_patterns("local_state", "logs", site)
        copy = shutil.copytree(workspace, self.folder / site, ignore=ignored)
        (copy / "plan" / "plan.yaml").write_bytes(plan_bytes(self.plan))
        peers = {name: f"127.0.0.1:{port}" for name, port in self.ports.items() if name != site}
        content = {"listen": f"127.0.0.1:{self.ports[site]}", "epoch": 1, "peers": peers}
        (copy / "plan" / "peers.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    def start(self, site: str) -> None:
        """Starts a site, or starts it again."""
        with (self.folder / f"{site}.log").open("ab") as log:
            self.processes[site] = subprocess.Popen(
                [FX, "collaborator", "start", "-n", site],
                cwd=self.folder / site,
                env=process_environment(1),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill_at(self, site: str, phase: str, round_number: int) -> None:
        """SIGKILL as soon as a site has logged an event."""
        deadline = time.monotonic() + _LONGEST_S
        while (round_number, phase) not in [(event["round"], event["phase"]) for event in self.events(site)]:
            assert self.processes[site].poll() is None, self.log_of(site)[-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.processes[site].kill()
        self.processes[site].wait()

    def wait(self) -> None:
        """Until all have ended well."""
        deadline = time.monotonic() + _LONGEST_S
        for site, process in self.processes.items():
            assert process.wait(max(1, deadline - time.monotonic())) == 0, self.log_of(site)[-3000:]

    def log_of(self, site: str) -> str:
        return (self.folder / f"{site}.log").read_text(encoding="utf-8")

    def events(self, site: str) -> list[dict]:
        path = self.folder / site / "logs" / site / "metrics.jsonl"
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []
        return [json.loads(line) for line in lines]

    def tensors(self, site: str, name: str) -> dict[str, np.ndarray]:
        return read_model(self.folder / site / "save" / site / f"{name}.safetensors")[1]


@contextmanager
def started(copies: Copies) -> Iterator[Copies]:
    """All sites at work, and none afterwards."""
    try:
        for site in copies.sites:
            copies.start(site)
        yield copies
    finally:
        for process in copies.processes.values():
            process.kill()
            process.wait()


def same_bits(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def facts_of_learning(events: Sequence[dict]) -> list[dict]:
    """What a site logged, but for seconds and bytes: a snapshot holds the federation's name, which is longer or shorter."""
    dropped = {"seconds", "cpu_seconds", "received_bytes", "sent_bytes", "sent_to", "refused_callers"}
    kept = [event for event in events if event["phase"] != "served"]
    return [{name: value for name, value in event.items() if name not in dropped} for event in kept]


def first_answer(copies: Copies, caller: str, peer: str) -> str:
    """The name in the certificate that a site shows once it listens."""
    files = [copies.folder / caller / "cert" / "client" / f"col_{caller}.{kind}" for kind in ("crt", "key")]
    context = Credentials(*files, copies.folder / caller / "cert" / "cert_chain.crt").context()
    while True:
        try:
            return certified_name(checked_certificate(peer, f"127.0.0.1:{copies.ports[peer]}", context, 5))
        except PeerUnreachable:
            assert copies.processes[peer].poll() is None, copies.log_of(peer)[-3000:]
            time.sleep(0.1)


@pytest.fixture(scope="module")
def in_lock_step(gossiped, tmp_path_factory) -> Iterator[Copies]:
    """The shared run's sites once more, waiting for each other's rounds; still at work when it is handed over."""
    with started(Copies(gossiped.folder, tmp_path_factory.mktemp("lock step"), lock_step=True)) as copies:
        yield copies


def test_only_the_sites_certificate_is_shown_and_only_theirs_is_let_in(in_lock_step, tmp_path):
    assert first_answer(in_lock_step, "site_a", "site_b") == "site_b"
    files = ExchangeAuthority(tmp_path / "another").issue("site_a")
    chain = in_lock_step.folder / "site_a" / "cert" / "cert_chain.crt"
    forged = Credentials(files["certificate"], files["private_key"], chain).context()
    with pytest.raises(PeerRefused, match="hung up when it saw our certificate"):
        checked_certificate("site_b", f"127.0.0.1:{in_lock_step.ports['site_b']}", forged, 5)


def test_sites_in_lock_step_end_well_and_refused_nobody_but_the_stranger(in_lock_step):
    in_lock_step.wait()
    for site in in_lock_step.sites:
        exchanges = [event for event in in_lock_step.events(site) if event["phase"] == "exchange"]
        assert [(event["round"], event["outcome"]) for event in exchanges] == [(1, "received"), (2, "received")]
        for event in in_lock_step.events(site):
            assert set(event.get("refused_callers", {})) <= {"unidentified"}


def test_one_process_and_many_come_to_the_same_numbers_bit_for_bit(in_lock_step, phantoms, tmp_path):
    """One thread here as there; the simulation is how rules are chosen, so it must be the real thing."""
    in_lock_step.wait()
    assert torch.get_num_threads() == 1
    run = simulate(in_lock_step.plan, "gossip_phantom", phantoms, tmp_path / "run")
    for site in in_lock_step.sites:
        for name in ("last", "best", "consensus"):
            simulated = read_model(run / "save" / site / f"{name}.safetensors")[1]
            assert same_bits(in_lock_step.tensors(site, name), simulated), (site, name)
        lines = (run / "logs" / site / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        assert facts_of_learning(in_lock_step.events(site)) == facts_of_learning([json.loads(line) for line in lines])


def test_bytes_sent_are_bytes_received_over_the_federation(in_lock_step):
    in_lock_step.wait()
    events = [event for site in in_lock_step.sites for event in in_lock_step.events(site)]
    sent, received = (sum(event.get(name, 0) for event in events) for name in ("sent_bytes", "received_bytes"))
    assert sent == received > 0
    by_pair = {(site, peer): 0 for site in in_lock_step.sites for peer in in_lock_step.sites if peer != site}
    for site in in_lock_step.sites:
        for event in in_lock_step.events(site):
            for peer, num_bytes in event.get("sent_to", {}).items():
                by_pair[site, peer] += num_bytes
            if "received_bytes" in event:
                by_pair[event["peer"], site] -= event["received_bytes"]
    assert set(by_pair.values()) == {0}


def test_no_case_is_named_in_what_a_run_leaves_beside_its_data(gossiped, phantoms):
    cases = [case.encode() for site in ("site_a", "site_b") for case in Dataset.open(phantoms / site).cases]
    assert cases
    kept = [path for name in ("logs", "save", "config") for path in (gossiped.folder / name).rglob("*") if path.is_file()]
    for site in ("site_a", "site_b"):
        workspace = gossiped.folder / "workspaces" / site
        kept += [path for name in ("logs", "local_state") for path in (workspace / name).rglob("*") if path.is_file()]
    kept += [path for path in gossiped.folder.iterdir() if path.is_file()]
    assert len(kept) > 20
    for path in kept:
        content = path.read_bytes()
        assert not [case for case in cases if case in content], path.name


@pytest.fixture(scope="module")
def three_in_lock_step(tmp_path_factory) -> Path:
    """Three sites that ran undisturbed. Read only."""
    folder = tmp_path_factory.mktemp("three")
    make_federation(folder / "data", anatomy="liver", cases_per_site=(3, 3, 3))
    # A ring, in which every site pulls in every exchange.
    waiting = ("--set", "collaborator.settings.exchange.lock_step=true")
    ring = ("--set", "collaborator.settings.exchange.schedule=ring")
    run = run_command(folder / "data", folder / "run", *QUICK_GOSSIP, "--rounds", "5", *waiting, *ring)
    assert run.exit_code == 0, run.output
    return run.folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "kills",
    [
        [("site_b", "exchange", 2)],
        [("site_a", "train", 1), ("site_c", "validate", 3), ("site_b", "train", 4)],
        [("site_c", "closing", 5), ("site_a", "consensus", 5)],
    ],
    ids=["within a round", "three sites", "at the end"],
)
def test_killed_and_started_again_they_end_as_if_nothing_had_been(three_in_lock_step, tmp_path, kills):
    undisturbed = three_in_lock_step / "save"
    with started(Copies(three_in_lock_step, tmp_path)) as copies:
        for site, phase, round_number in kills:
            copies.kill_at(site, phase, round_number)
            copies.start(site)
        copies.wait()
        for site in copies.sites:
            for name in ("last", "best", "consensus"):
                expected = read_model(undisturbed / site / f"{name}.safetensors")[1]
                assert same_bits(copies.tensors(site, name), expected), (site, name)
            trained = {event["round"] for event in copies.events(site) if event["phase"] == "train"}
            assert trained == set(range(5))
