"""A supervised process that is killed, stopped, and gone afterwards; a clock that is off."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from experiments.soak.clocks import clock_environment, compile_clock
from experiments.soak.faults import Fault
from experiments.soak.injector import Injector
from experiments.soak.line import GOOD, LineCondition
from experiments.soak.site_process import SiteProcess, supervisor_script

# Named like the command that is looked for.
SLEEPER = "import sys, time; open(sys.argv[2], 'a').write('start\\n'); time.sleep(60)"


def until(true, timeout_s=30.0):
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def sleeper(tmp_path):
    (tmp_path / "supervise.sh").write_text(supervisor_script())
    (tmp_path / "starts").touch()
    command = ["sh", "supervise.sh", sys.executable, "-S", "-c", SLEEPER, "collaborator", "starts"]
    with SiteProcess("site_a", command, tmp_path, dict(os.environ), tmp_path / "log") as process:
        until(lambda: process.running() is not None and (tmp_path / "starts").read_text())
        yield process


def test_who_is_killed_comes_back_by_itself_and_is_gone_with_the_supervisor(sleeper, tmp_path):
    first = sleeper.running()
    assert sleeper.kill() and sleeper.kills == 1
    until(lambda: not first.is_running() or first.status() == psutil.STATUS_ZOMBIE)
    assert sleeper.running() is None and not sleeper.kill(), "the supervisor pauses"
    until(lambda: (tmp_path / "starts").read_text().count("start") == 2)
    second = sleeper.running()
    assert second.pid != first.pid and sleeper.exit_code() is None
    sleeper.__exit__()
    assert not second.is_running() and sleeper.running() is None


def test_a_stopped_one_stands_still(sleeper):
    process = sleeper.running()
    sleeper.stop(True)
    until(lambda: process.status() == psutil.STATUS_STOPPED)
    sleeper.stop(False)
    until(lambda: process.status() != psutil.STATUS_STOPPED)


class Lines:
    """Takes down what a network is told; there is no network in a test of when it is told so."""

    def __init__(self):
        self.apart, self.lines, self.owners = [], {}, {}

    def set_apart(self, groups):
        self.apart = list(groups)

    def set_line(self, site, condition):
        self.lines[site] = condition

    def set_owner(self, site, answers):
        self.owners[site] = answers


def test_faults_begin_and_end_at_their_time_and_are_written_down(sleeper, tmp_path):
    faults = [
        Fault(time_s=1.0, kind="partition", sites=("site_a",), duration_s=2.0),
        Fault(time_s=1.5, kind="loss", sites=("site_a",), duration_s=1.0, parameters={"loss": 0.05}),
        Fault(time_s=1.6, kind="latency", sites=("site_a",), duration_s=0.1, parameters={"latency_s": 0.2}),
        Fault(time_s=2.0, kind="takeover", sites=("site_a",), duration_s=0.2),
        Fault(time_s=2.1, kind="kill", sites=("site_a",)),
    ]
    lines, log = Lines(), tmp_path / "faults.jsonl"
    injector = Injector(faults, {"site_a": sleeper}, lines, log, lambda site: {"round": 7})
    injector.step(0.5)
    assert lines.apart == [] and not log.exists()
    injector.step(1.65)
    assert lines.apart == [("site_a",)] and lines.lines["site_a"] == LineCondition(loss=0.05, latency_s=0.2)
    injector.step(2.15)
    assert lines.lines["site_a"] == LineCondition(loss=0.05) and lines.owners["site_a"] == "impostor"
    injector.step(9.0)
    assert lines.apart == [] and lines.lines["site_a"] == GOOD and lines.owners["site_a"] == "site_a"
    assert sleeper.kills == 1
    assert [entry["kind"] for entry in injector.done] == ["partition", "loss", "latency", "takeover", "kill"]
    assert injector.done[-1]["struck"] and injector.done[-1]["at"] == {"round": 7}
    assert len(log.read_text().splitlines()) == 5


def test_a_slow_one_runs_a_quarter_of_the_time(sleeper, tmp_path):
    slow = Fault(time_s=0.0, kind="slow", sites=("site_a",), duration_s=100.0, parameters={"factor": 4.0})
    injector = Injector([slow], {"site_a": sleeper}, Lines(), tmp_path / "log.jsonl", lambda site: {})
    process, states = sleeper.running(), []
    for tick in range(32):
        injector.step(tick * 0.25)
        time.sleep(0.02)
        states.append(process.status() == psutil.STATUS_STOPPED)
    assert 0.7 <= sum(states) / len(states) <= 0.8
    injector.finish()
    until(lambda: process.status() != psutil.STATUS_STOPPED)


def test_a_clock_is_off_for_python_and_for_the_c_library_and_deadlines_hold(tmp_path):
    library = compile_clock(tmp_path)
    program = "import ctypes, time, grpc._channel; print(time.time(), ctypes.CDLL(None).time(None), grpc._channel._deadline(0))"
    environment = {**os.environ, **clock_environment(-300, library)}
    output = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True).stdout
    python_s, library_s, deadline_s = (float(part) for part in output.split())
    assert -330 < python_s - time.time() < -299
    assert abs(deadline_s - time.time()) < 30, "compared with the kernel's clock, by gRPC's core"
    if library is not None:
        assert -330 < library_s - time.time() < -299
    assert clock_environment(0, library) == {}
