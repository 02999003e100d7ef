"""The supervisor loop and the systemd unit of the workspace's README, as they are written there."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from src import errors
from tests.conftest import REPOSITORY

README = (REPOSITORY / "workspace" / "README.md").read_text(encoding="utf-8")
# Dies of a crash, then of an aggregator that is gone, then comes to its end.
DIES_TWICE = """#!/bin/sh
echo start >> "$1/starts"
case $(wc -l < "$1/starts") in 1) kill -KILL $$ ;; 2) exit 3 ;; *) exit 0 ;; esac
"""
# A run as fx ends it: first a fault that nobody foresaw, then a plan that is refused.
UNFORESEEN_THEN_REFUSED = f"""#!/bin/sh
echo start >> "$1/starts"
cd "{REPOSITORY}" && exec "{sys.executable}" -c '
import sys
from pathlib import Path
from src.errors import PlanSettingError
from src.process_edge import run_edge

with run_edge():
    if len(Path(sys.argv[1]).read_text().split()) < 3:
        {{}}["a peer that nobody knows"]
    raise PlanSettingError("expected 2 sites, found 1")
' "$1/starts"
"""
ENDS_WITH = """#!/bin/sh
echo start >> "$1/starts"
exit "$2"
"""
# Takes its time to end well, as a site does that finishes a file.
WAITS = """#!/bin/sh
trap 'sleep 1; echo ended >> "$1/starts"; exit 11' TERM
echo start >> "$1/starts"
while :; do sleep 0.1; done
"""


def block_of(first_line: str) -> str:
    """An indented block of the README."""
    lines = README[README.index(f"    {first_line}\n") :].splitlines()
    end = next(number for number, line in enumerate(lines) if line and not line.startswith("    "))
    return "\n".join(line[4:] for line in lines[:end]).rstrip() + "\n"


@pytest.fixture
def supervised(tmp_path):
    """Starts a script under the loop; all of its processes are gone afterwards."""
    (tmp_path / "supervise.sh").write_text(block_of("#!/bin/sh"))
    started = []

    def start(script: str, *arguments: str, pause_s: float = 0.1) -> subprocess.Popen:
        (tmp_path / "site.sh").write_text(script)
        command = ["sh", "supervise.sh", "sh", "site.sh", str(tmp_path), *arguments]
        environment = {"PATH": "/usr/bin:/bin", "PAUSE_S": str(pause_s)}
        started.append(
            subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
        )
        return started[-1]

    yield start
    for process in started:
        # The loop's command outlives it, and would hold the pipe that is read here.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def starts(folder: Path) -> list[str]:
    path = folder / "starts"
    return path.read_text().split() if path.is_file() else []


def test_a_process_that_dies_twice_is_started_three_times(supervised, tmp_path):
    process = supervised(DIES_TWICE)
    assert process.wait(30) == 0
    assert starts(tmp_path) == ["start"] * 3
    said = process.stderr.read()
    assert "ended with exit code 137; starting again in 0.1 s" in said and "ended with exit code 3;" in said


@pytest.mark.parametrize("code", [0, 1, 4, 7, 8, 11])
def test_what_no_new_start_mends_is_not_started_again(supervised, tmp_path, code):
    assert supervised(ENDS_WITH, str(code)).wait(30) == code
    assert starts(tmp_path) == ["start"]


def test_an_unforeseen_fault_is_tried_again_and_a_refusal_is_not(supervised, tmp_path):
    process = supervised(UNFORESEEN_THEN_REFUSED)
    assert process.wait(60) == 1
    assert starts(tmp_path) == ["start"] * 3
    said = process.stderr.read()
    assert said.count("ended with exit code 13; starting again") == said.count("KeyError: 'a peer that nobody knows'") == 2
    assert "UnforeseenFault: expected a round like any other" in said
    assert said.endswith("PlanSettingError: expected 2 sites, found 1\n") and said.count("Traceback") == 2


def test_sigterm_is_passed_on_and_the_end_awaited(supervised, tmp_path):
    process = supervised(WAITS)
    wait_for_start(tmp_path)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 11
    assert starts(tmp_path) == ["start", "ended"]


def test_sigterm_is_not_lost_when_it_comes_as_the_command_starts(supervised, tmp_path):
    # The command itself asks for its end, before the loop can have noted anything about it.
    process = supervised(f"kill -TERM $PPID\n{WAITS}")
    assert process.wait(30) in (11, 128 + signal.SIGTERM)
    assert starts(tmp_path) in ([], ["start", "ended"])


def test_sigterm_ends_the_pause_too(supervised, tmp_path):
    process = supervised(ENDS_WITH, "3", pause_s=60)
    wait_for_start(tmp_path)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 3
    assert starts(tmp_path) == ["start"]


def wait_for_start(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while not starts(folder):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_unit_and_loop_agree_on_which_codes_end_it():
    unit = dict(line.split("=", 1) for line in block_of("[Unit]").splitlines() if "=" in line and not line.startswith("#"))
    ending = {0, int(unit["SuccessExitStatus"]), *map(int, unit["RestartPreventExitStatus"].split())}
    (codes,) = [line for line in block_of("#!/bin/sh").splitlines() if 'case "$code"' in line]
    assert {int(code) for code in codes.split(" in ")[1].split(")")[0].split("|")} == ending
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")]
    retried = {kind.__name__ for kind in classes if kind.exit_code not in ending}
    assert retried == {"AggregatorUnreachable", "DiskError", "DeviceError", "SiteProcessFailed", "UnforeseenFault"}
    assert errors.Stopped.exit_code in ending


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_the_unit(tmp_path):
    unit = block_of("[Unit]")
    for name, value in {
        "<user>": "root",
        "<workspace>": "/",
        "<venv>/bin/fx": "/bin/true",
        "<site>": "a",
        "<plan>": "p",
    }.items():
        assert name in unit
        unit = unit.replace(name, value)
    (tmp_path / "openfl-oar.service").write_text(unit)
    command = ["systemd-analyze", "verify", str(tmp_path / "openfl-oar.service")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "openfl-oar" not in done.stderr, done.stderr
