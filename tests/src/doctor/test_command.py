"""What people type: real processes, real TLS, one line for each check, and an exit code."""

import os
import subprocess
import sys
import time

import pytest

from experiments.federation.template import REPOSITORY
from src.doctor.checks import CHECKS
from tests.src.doctor.misconfigurations import TABLE
from tests.src.doctor.workspace import dropping_port

TIMEOUT_S = 120  # this machine may be busy; alone it takes seconds


def python(workspace, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    # A workspace has its own src/, which is what 'python -m' finds.
    if not (workspace.folder / "src").exists():
        (workspace.folder / "src").symlink_to(REPOSITORY / "src")
        (workspace.folder / "plan/structures.yaml").write_bytes((REPOSITORY / "plan/structures.yaml").read_bytes())
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=workspace.folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)


def doctor(workspace, site="site_a") -> subprocess.CompletedProcess:
    return python(workspace, "-m", "src.doctor", "-n", site, "-p", "plan/plan.yaml")


@pytest.mark.slow
def test_all_is_well_in_one_plain_line_for_each_check(workspace):
    with workspace.peer():
        done = doctor(workspace)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    *lines, last = done.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines) and "\x1b" not in done.stdout
    # Of 'peers' there is one for each; there is no line about an aggregator or a folder that the plan does not have.
    assert len(lines) == len(CHECKS) - 2
    assert f"{len(lines)} ok, in " in last


@pytest.mark.slow
@pytest.mark.parametrize("name", ["key_readable", "other_plan", "peer_port_wrong", "gpu_absent"])
def test_what_is_wrong_ends_the_process_with_its_exit_code(workspace, name):
    (case,) = [case for case in TABLE if case.spoil.__name__ == name]
    with case.spoiled(workspace):
        done = doctor(workspace)
    (line,) = [line for line in done.stdout.splitlines() if f" {case.check} " in line]
    assert line.startswith(case.level.value) and case.says in line and f"→ {case.fix[:5]}" in line
    assert done.returncode == (1 if "\nfailed " in f"\n{done.stdout}" else 12)


@pytest.mark.slow
def test_an_unreachable_peer_costs_seconds_beside_loading_and_building(workspace):
    # Loading PyTorch, MONAI and OpenFL and building the network, which depends on how busy the machine is.
    began = time.monotonic()
    assert python(workspace, "-m", "src.plan_check", "plan/plan.yaml").returncode == 0
    imports_s = time.monotonic() - began
    peers = workspace.peers()
    with dropping_port() as port:
        workspace.write_peers({**peers, "peers": {"site_b": f"127.0.0.1:{port}"}})
        began = time.monotonic()
        done = doctor(workspace)
        doctor_s = time.monotonic() - began
    assert done.returncode == 1 and "a firewall on the way" in done.stdout
    assert doctor_s < 1.5 * imports_s + 5, f"{doctor_s:.1f} s, of which loading and building alone {imports_s:.1f} s"


def test_a_mistyped_command_ends_with_2(workspace):
    done = python(workspace, "-m", "src.doctor", "--plan", "plan/plan.yaml")
    assert done.returncode == 2 and "-n" in done.stderr
