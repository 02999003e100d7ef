"""Real federations, run by the command a researcher types; the tests share them."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from data_prep.phantom.generate import make_federation
from experiments.federation.template import REPOSITORY

QUICK = ("--rounds", "2", "--set", "task_runner.settings.steps_per_round=4")
# An exchange before each round but the first, and a short completion phase.
QUICK_GOSSIP = (
    *("--plan", "gossip_phantom", "--rounds", "3"),
    *("--set", "task_runner.settings.steps_per_round=4"),
    *("--set", "collaborator.settings.exchange.local_rounds_at_end=0"),
    *("--set", "collaborator.settings.completion.steps=4"),
)
# Long enough to be stopped in the middle.
LONG = ("--rounds", "500", "--set", "task_runner.settings.steps_per_round=4")
_LONGEST_S = 900


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, its exit code, and what it printed."""

    folder: Path
    exit_code: int
    output: str


def federation_command(data: Path, output: Path, *arguments: str) -> list[str]:
    """The command line of a phantom federation."""
    command = [sys.executable, "-m", "experiments.federation", "--plan", "fedavg_phantom"]
    return [*command, "--data", str(data), "--output", str(output), *arguments]


def run_command(data: Path, output: Path, *arguments: str) -> Run:
    """Runs a phantom federation to its end."""
    command = federation_command(data, output, *arguments)
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said, _ = process.communicate(timeout=_LONGEST_S)
    finally:
        # It ends its own processes when it is asked to, and leaves them behind when it is killed.
        process.terminate()
        process.wait(60)
    return Run(output, process.returncode, said)


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory) -> Path:
    """Two sites of abdominal phantoms; the second never contours two of the structures. Read only."""
    root = tmp_path_factory.mktemp("phantoms")
    make_federation(root, anatomy="liver", cases_per_site=(4, 3))
    return root


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Path:
    """Folder of the phantoms' prepared cases, which simulated runs share."""
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture(scope="session")
def finished(phantoms, tmp_path_factory) -> Run:
    """A federation that ran to its end. Read only."""
    run = run_command(phantoms, tmp_path_factory.mktemp("run") / "first", *QUICK)
    assert run.exit_code == 0, run.output
    return run


@pytest.fixture(scope="session")
def repeated(phantoms, finished, tmp_path_factory) -> Run:
    """The same once more. Read only."""
    run = run_command(phantoms, tmp_path_factory.mktemp("run") / "again", *QUICK)
    assert run.exit_code == 0, run.output
    return run


@pytest.fixture(scope="session")
def gossiped(phantoms, tmp_path_factory) -> Run:
    """A federation without an aggregator that ran to its end. Read only."""
    run = run_command(phantoms, tmp_path_factory.mktemp("run") / "gossip", *QUICK_GOSSIP)
    assert run.exit_code == 0, run.output
    return run


@pytest.fixture
def running(phantoms, tmp_path):
    """A federation that is still training when it is handed over, and gone afterwards whatever the test did."""
    command = federation_command(phantoms, tmp_path / "run", *LONG)
    with (tmp_path / "output.txt").open("w") as output:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT)
    yield process
    if process.poll() is None:
        process.terminate()
        process.wait(60)
