"""What becomes of jobs when the process that started them is stopped, or killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from experiments.compare.errors import StudyError
from experiments.compare.lock import study_lock
from experiments.federation.template import REPOSITORY

JOB = """
import os, pathlib, sys, time
from experiments.compare.parent import end_with_parent
end_with_parent()
partial = pathlib.Path(sys.argv[1] + ".partial")
partial.write_text(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']}")
partial.rename(sys.argv[1])
time.sleep(600)
"""
PARENT = """
import sys, time
from pathlib import Path
from experiments.command import exit_code_of
from experiments.compare.lock import study_lock
from experiments.compare.processes import JobProcesses
from experiments.federation.signals import stopped_by_signals

def main():
    folder, job = Path(sys.argv[1]), sys.argv[2]
    with study_lock(folder) as lock, stopped_by_signals(JobProcesses(folder, lock)) as processes:
        processes.start_job("train/gossip/seed_0", [sys.executable, "-c", job, str(folder / "pid")])
        while not processes.ended():
            time.sleep(0.05)

sys.exit(exit_code_of(main))
"""
_LONGEST_S = 30


def wait_until(is_true) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended and that nobody has asked about yet is not at work.
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(status.strip()) and "Z" not in status


@pytest.fixture
def parent(tmp_path):
    """A process with one job at work, and the job's number."""
    process = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), JOB], cwd=REPOSITORY, stderr=subprocess.PIPE)
    wait_until((tmp_path / "pid").is_file)
    pid, threads = (tmp_path / "pid").read_text().split()
    assert threads == "1" and is_alive(int(pid))
    yield process, int(pid)
    process.kill()
    process.communicate()


def test_nobody_else_works_in_the_folder_meanwhile(parent, tmp_path):
    with pytest.raises(StudyError, match="found another 'make compare'"), study_lock(tmp_path, wait_s=0.1):
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_jobs_too(parent, number, tmp_path):
    process, job = parent
    process.send_signal(number)
    said = process.communicate(timeout=_LONGEST_S)[1].decode()
    assert process.returncode == 130 and f"stopped by {number.name}" in said
    assert not is_alive(job)
    with study_lock(tmp_path, wait_s=0.1):
        pass


def test_jobs_of_a_killed_one_end_and_let_go_of_the_folder(parent, tmp_path):
    process, job = parent
    process.kill()
    process.wait()
    with study_lock(tmp_path, wait_s=_LONGEST_S):
        assert not is_alive(job)
