"""Three real processes that share nothing but a folder, one of them killed on the way: the same models as in memory."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.simulation import run_in_turns
from experiments.toy_learner import exchange_settings
from tests.src.exchange.in_memory_federation import Federation, digest

THREE = ["site_a", "site_b", "site_c"]
REPOSITORY = Path(__file__).resolve().parents[4]
EXCHANGE = {"schedule": "base_k_plus_1", "lock_step": True}


@pytest.fixture
def start(tmp_path, authority):
    """Starts a site; ends all in the end."""
    processes, shared = [], tmp_path / "shared"
    shared.mkdir()

    def start(site):
        (tmp_path / site).mkdir(exist_ok=True)
        given = {
            "site": site,
            "own": str(tmp_path / site),
            "shared": str(shared),
            "roster": THREE,
            "certificates": {name: str(path) for name, path in authority.issue(site).items()},
            "values": 300_000,
            "rounds": 5,
            "exchange": EXCHANGE,
        }
        with (tmp_path / f"{site}.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.src.exchange.folder.folder_process", json.dumps(given)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            processes.append(subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_killed_process_changes_nothing(tmp_path, start):
    in_memory = Federation(
        tmp_path / "memory", THREE, rounds=5, exchange=exchange_settings(**EXCHANGE), learner={"values": 300_000}
    )
    run_in_turns(list(in_memory.sites.values()))
    processes = {site: start(site) for site in THREE}
    deadline = time.monotonic() + 60
    while not list((tmp_path / "shared").glob("site_b-1-2.model")):
        assert processes["site_b"].poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    processes["site_b"].kill()
    processes["site_b"].wait()
    processes["site_b"] = start("site_b")
    for site, process in processes.items():
        code = process.wait(max(1, deadline + 60 - time.monotonic()))
        assert code == 0, (tmp_path / f"{site}.log").read_text()[-3000:]
    for site in THREE:
        result = json.loads((tmp_path / site / "result").read_text())
        assert result == {"sha256": digest(in_memory.sites[site]), "finals": THREE}
    assert not list((tmp_path / "shared").glob(".*"))
