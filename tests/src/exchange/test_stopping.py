"""Sites as real processes, ended by SIGTERM at seeded moments or by a full disk: a code, a line, and nothing lost."""

import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from experiments.simulation import run_in_turns
from experiments.toy_learner import exchange_settings
from tests.src.exchange.in_memory_federation import Federation, digest
from tests.src.exchange.toy_federation import ToyFederation
from tests.src.exchange.toy_process import MOMENTS
from tests.src.tiny_disk import fill, tiny_disk

PAIR = ["site_a", "site_b"]
ROUNDS, VALUES = 24, 50_000
EXCHANGE = {"schedule": "base_k_plus_1", "lock_step": True}
SETTINGS = {
    "rounds": ROUNDS,
    "values": VALUES,
    "round_s": 0.02,
    "exchange": EXCHANGE,
    "timing": {"round_wait_s": 120, "pull_timeout_s": 60, "closing_wait_s": 120, "serve_after_s": 60},
}


def undisturbed(folder: Path) -> dict[str, str]:
    """Digests of the models after the same rounds in one process, where nothing is ever stopped."""
    federation = Federation(
        folder, PAIR, rounds=ROUNDS, exchange=exchange_settings(**EXCHANGE), learner={"values": VALUES, "round_s": 0.0}
    )
    run_in_turns(list(federation.sites.values()))
    return {name: digest(site) for name, site in federation.sites.items()}


def check_end(federation: ToyFederation, expected: dict[str, str]) -> None:
    federation.wait(120)
    assert {site: federation.result(site)["sha256"] for site in PAIR} == expected
    for site in PAIR:
        done = {event["round_number"] for event in federation.events(site) if event["phase"] == "train"}
        assert done == set(range(ROUNDS)), "no round is left out"


def said_by(federation: ToyFederation, site: str) -> str:
    return (federation.folder / f"{site}.log").read_text()


def stop_and_restart(federation: ToyFederation, moment: str, pause_s: float) -> None:
    """SIGTERM when site a enters a moment, or shortly after."""
    assert federation.wait_for_mark("site_a", moment, 1), "it was at its end too early"
    time.sleep(pause_s)
    process, began = federation.processes["site_a"], time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 11, said_by(federation, "site_a")
    assert time.monotonic() - began < 20, "it left what it waited for"
    state = Path(federation.given["site_a"]["state"])
    half = [path.name for part in ("checkpoint", "outbox", ".") for path in (state / part).glob(".*partial")]
    assert half == [], "nothing half-written is left"
    federation.start("site_a")


def fill_and_restart(federation: ToyFederation, disk: Path, leave_bytes: int) -> None:
    """The disk of site a's state is full, ends it, and has room again."""
    assert federation.wait_for_mark("site_a", "learn", 1), "it was at its end too early"
    ballast = fill(disk, leave_bytes)
    assert federation.processes["site_a"].wait(60) == 9, said_by(federation, "site_a")
    ballast.unlink()
    federation.start("site_a")


def check_stopped(tmp_path: Path, moments: Sequence[str], rooms_bytes: Sequence[int]) -> None:
    expected, generator = undisturbed(tmp_path / "undisturbed"), random.Random(3)
    with tiny_disk(tmp_path / "disk") as disk, ToyFederation(tmp_path / "stopped", PAIR, **SETTINGS) as federation:
        federation.given["site_a"]["state"] = str(disk / "state")
        federation.start()
        for moment in moments:
            stop_and_restart(federation, moment, generator.choice([0, 0.002, 0.01]))
        for leave_bytes in rooms_bytes:
            fill_and_restart(federation, disk, leave_bytes)
        check_end(federation, expected)
        said = said_by(federation, "site_a")
    assert said.count("Stopped: stopped by SIGTERM; start it again\n") == len(moments)
    assert said.count(f"DiskError: expected room to write in '{disk}/state") == len(rooms_bytes)
    assert said.count("make room on it") == len(rooms_bytes) and "Traceback" not in said


def test_after_sigterm_and_a_full_disk_it_ends_bit_for_bit_as_if_nothing_had_been(tmp_path):
    check_stopped(tmp_path, ["pull"], [0])


@pytest.mark.slow
def test_it_does_so_at_any_moment_and_with_any_room(tmp_path):
    # Room for nothing; for a snapshot but no checkpoint; for a checkpoint and little else.
    check_stopped(tmp_path, MOMENTS, [0, 300_000, 500_000])
