"""What people type: real processes, real TLS, one line for each check, and an exit code."""

import os
import subprocess
import sys

import pytest

from experiments.federation.template import REPOSITORY
from src.doctor.checks import CHECKS
from tests.src.doctor.misconfigurations import TABLE
from tests.src.doctor.workspace import dropping_port

TIMEOUT_S = 300  # this machine may be busy; alone it takes seconds


def environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**inherited, "OMP_NUM_THREADS": "1"}


def make_importable(workspace) -> None:
    """A workspace has its own src/, which is what 'python -m' finds."""
    if not (workspace.folder / "src").exists():
        (workspace.folder / "src").symlink_to(REPOSITORY / "src")
        (workspace.folder / "plan/structures.yaml").write_bytes((REPOSITORY / "plan/structures.yaml").read_bytes())


def python(workspace, *arguments: str) -> subprocess.CompletedProcess:
    make_importable(workspace)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=workspace.folder, env=environment(), capture_output=True, text=True, timeout=TIMEOUT_S)


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


def timed(workspace, *arguments: str) -> tuple[int, str, float]:
    """Exit code and output of a command, and the seconds it computed: other work on the machine does not count."""
    make_importable(workspace)
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=workspace.folder, env=environment(), stdout=subprocess.PIPE, text=True
    )
    with process.stdout as output:
        said = output.read()
    _, status, used = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), said, used.ru_utime + used.ru_stime


@pytest.mark.slow
def test_with_an_unreachable_peer_it_computes_hardly_more_than_loading_takes(workspace):
    # Loading PyTorch, MONAI and OpenFL and building the network: most of it, and as slow as the machine is.
    code, _, loading_s = timed(workspace, "-m", "src.plan_check", "plan/plan.yaml")
    assert code == 0
    peers = workspace.peers()
    with dropping_port() as port:
        workspace.write_peers({**peers, "peers": {"site_b": f"127.0.0.1:{port}"}})
        code, said, doctor_s = timed(workspace, "-m", "src.doctor", "-n", "site_a", "-p", "plan/plan.yaml")
    assert code == 1 and "a firewall on the way" in said and "did not end within" not in said
    print(f"processor seconds: doctor {doctor_s:.1f}, loading and building alone {loading_s:.1f}")
    assert doctor_s < 1.5 * loading_s + 1


def test_a_mistyped_command_ends_with_2(workspace):
    done = python(workspace, "-m", "src.doctor", "--plan", "plan/plan.yaml")
    assert done.returncode == 2 and "-n" in done.stderr
