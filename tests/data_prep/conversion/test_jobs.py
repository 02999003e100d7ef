"""A job that dies in whatever way is its own failure; the others' results arrive, and no process is left behind."""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from data_prep.conversion.jobs import run_jobs

ROOT = Path(__file__).resolve().parents[3]


def job(how: object) -> str:
    """What a patient's file may do to the process that reads it."""
    match how:
        case "raise":
            raise ValueError("Zwiebelfisch^Hannelore")
        case "exit":
            raise SystemExit(3)
        case "memory":
            raise MemoryError
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "crash":
            ctypes.string_at(0)
        case "sleep":
            time.sleep(60)
        case "mask":
            return f"done {list(signal.pthread_sigmask(signal.SIG_BLOCK, []))}"
        case "talk":
            print("Zwiebelfisch")
            os.write(1, b"Zwiebelfisch")
            os.write(2, b"Zwiebelfisch")
    return f"done {how}"


@pytest.mark.parametrize(
    ("how", "failure"),
    [
        ("raise", "an error of the converter itself: ValueError at tests/data_prep/conversion/test_jobs.py:"),
        ("exit", "an error of the converter itself: SystemExit"),
        ("memory", "it needs more memory than there is"),
        ("killed", "killed while reading it, most likely for want of memory"),
        ("crash", "died while reading it (SIGSEGV)"),
    ],
)
def test_a_job_that_fails_fails_alone(how, failure):
    ends = dict(run_jobs(job, {"a": "fine", "bad": how, "b": "fine"}, num_jobs=2, timeout_s=60))
    assert ends["a"].result == ends["b"].result == "done fine"
    assert ends["bad"].result is None
    assert failure in ends["bad"].failure
    assert "Zwiebelfisch" not in ends["bad"].failure


def test_a_job_that_never_ends_is_stopped():
    ends = dict(run_jobs(job, {"bad": "sleep"}, num_jobs=1, timeout_s=0.3))
    assert ends["bad"].failure == "it took longer than 0 minutes and was stopped"


def test_what_a_job_prints_reaches_nobody(capfd):
    ends = dict(run_jobs(job, {"a": "talk", "b": "raise", "c": "crash"}, num_jobs=1, timeout_s=30))
    assert ends["a"].result == "done talk"
    assert capfd.readouterr() == ("", "")


def test_a_large_result_arrives_whole():
    ends = dict(run_jobs(job, {"a": "x" * 3_000_000}, num_jobs=1, timeout_s=30))
    assert ends["a"].result == "done " + "x" * 3_000_000


def test_no_more_than_asked_for_run_at_a_time_and_none_is_left_when_it_is_stopped():
    ends = run_jobs(job, {"first": "fine", **{f"slow_{number}": "sleep" for number in range(5)}}, num_jobs=2, timeout_s=60)
    assert next(ends)[0] == "first"
    assert len(multiprocessing.active_children()) <= 2
    ends.close()
    assert multiprocessing.active_children() == []


def test_no_jobs_are_no_work():
    assert list(run_jobs(job, {}, num_jobs=2, timeout_s=1)) == []


SCRIPT = """
from data_prep.conversion.jobs import run_jobs
from tests.data_prep.conversion.test_jobs import job
print("started", flush=True)
for _ in run_jobs(job, {"first": "fine", "a": "sleep", "b": "sleep"}, num_jobs=2, timeout_s=60):
    print("first is done", flush=True)
"""


def test_its_processes_end_with_a_parent_that_is_killed_and_cannot_tell_them():
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "started\n"
        assert process.stdout.readline() == "first is done\n"
        time.sleep(0.3)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 3  # two sleepers and the process they are forked from
        process.kill()
        _, errors = process.communicate(timeout=20)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    assert errors == ""


def test_ctrl_c_is_for_the_parent_alone():
    """A terminal sends it to every process; an interrupted job would be told as a failure of the patient's files."""
    ends = dict(run_jobs(job, {"a": "mask"}, num_jobs=1, timeout_s=30))
    assert ends["a"].result == "done [<Signals.SIGINT: 2>]"
