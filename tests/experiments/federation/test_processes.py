"""Everything a run started ends with it, children of children too; nothing else does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from experiments.federation.processes import Processes
from src.errors import FederationError, SiteProcessFailed

# Starts a child that outlives it unless the whole group is ended, and says its number.
WITH_CHILD = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True);"
)


@pytest.fixture
def processes(tmp_path):
    with Processes(tmp_path, dict(os.environ), grace_s=2) as started:
        yield started


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def wait_for_number(log: Path) -> int:
    for _ in range(100):
        if log.is_file() and log.read_text().strip():
            return int(log.read_text().split()[0])
        time.sleep(0.05)
    raise AssertionError("the child never started")


def is_running(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def assert_gone(number: int) -> None:
    for _ in range(100):
        if not is_running(number):
            return
        time.sleep(0.05)
    raise AssertionError(f"{number} still runs")


def test_waits_for_all_and_looks_meanwhile(processes, tmp_path):
    looks = []
    for name in "ab":
        processes.start(name, python("import time; time.sleep(0.5); print('done')"), tmp_path, tmp_path / f"{name}.log")
    processes.wait(20, lambda: looks.append(1))
    assert (tmp_path / "a.log").read_text() == (tmp_path / "b.log").read_text() == "done\n"
    assert len(looks) > 1


def test_failure_names_process_exit_code_and_end_of_its_log_and_ends_the_others(processes, tmp_path):
    processes.start("site_a", python(WITH_CHILD + "time.sleep(600)"), tmp_path, tmp_path / "site_a.log")
    child = wait_for_number(tmp_path / "site_a.log")
    failing = "import sys; print('the disk is full'); sys.exit(3)"
    processes.start("site_b", python(failing), tmp_path, tmp_path / "site_b.log")
    with pytest.raises(
        SiteProcessFailed, match=r"(?s)site_b ended with exit code 3.*logs/site_b.log.*the disk is full"
    ) as failure:
        processes.wait(20)
    assert "site_a" not in str(failure.value)
    assert_gone(child)


def test_a_killed_process_is_reported_by_its_signal(processes, tmp_path):
    processes.start("site_a", python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), tmp_path, tmp_path / "a.log")
    with pytest.raises(SiteProcessFailed, match="site_a was ended by SIGKILL"):
        processes.wait(20)


def test_children_that_outlive_a_good_end_are_ended_too(processes, tmp_path):
    processes.start("site_a", python(WITH_CHILD), tmp_path, tmp_path / "a.log")
    processes.wait(20)
    assert_gone(wait_for_number(tmp_path / "a.log"))


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(processes, tmp_path):
    ignoring = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    stubborn = ignoring + "print(os.getpid(), flush=True); time.sleep(600)"
    processes.start("site_a", python(stubborn), tmp_path, tmp_path / "a.log")
    number = wait_for_number(tmp_path / "a.log")
    processes.stop()
    assert_gone(number)


def test_too_long_names_who_still_runs(processes, tmp_path):
    processes.start("site_a", python("import time; time.sleep(600)"), tmp_path, tmp_path / "a.log")
    with pytest.raises(FederationError, match=r"expected an end within 1 s, still running: site_a"):
        processes.wait(1)


def test_a_stop_request_ends_its_own_and_no_stranger(processes, tmp_path):
    stranger = subprocess.Popen(python("import time; time.sleep(600)"))
    try:
        processes.start("site_a", python(WITH_CHILD + "time.sleep(600)"), tmp_path, tmp_path / "a.log")
        child = wait_for_number(tmp_path / "a.log")
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"), processes:
            processes.request_stop(signal.SIGTERM)
            processes.wait(20)
        assert_gone(child)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_nothing_starts_after_a_stop_request(processes, tmp_path):
    processes.request_stop(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        processes.start("site_a", python("print('started')"), tmp_path, tmp_path / "a.log")
    assert not (tmp_path / "a.log").exists()
