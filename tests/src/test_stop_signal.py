"""SIGTERM and Ctrl-C in real processes: what is waited for is left, what is being written is finished, twice ends at once."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from src.stop_signal import finishes_first, stop_here, stops_on_signal

REPOSITORY = Path(__file__).resolve().parents[2]
PRELUDE = """
import sys, time
from src.process_edge import process_edge
from src.stop_signal import finishes_first, stops_on_signal
def say(word): print(word, flush=True)
"""
WAITING = """
with process_edge(), stops_on_signal("start it again"):
    try:
        say("ready"); time.sleep(60)
    finally:
        say("left")
say("never")
"""
WRITING = """
with process_edge(), stops_on_signal("start it again"):
    with finishes_first(), finishes_first():
        say("ready"); time.sleep(1.0); say("written")
    say("never")
"""
SLOW_TO_END = """
with process_edge(), stops_on_signal("start it again"):
    try:
        say("ready"); time.sleep(60)
    finally:
        say("ending"); time.sleep(60)
"""
DESTRUCTOR = """
class Slow:
    def __del__(self): say("ready"); time.sleep(1.0)
with process_edge(), stops_on_signal("start it again"):
    Slow()
    with finishes_first(): say("block")
    say("never")
"""
ENDED = """
with stops_on_signal("start it again"):
    pass
say("ready"); time.sleep(60)
"""


def start(body: str, ignoring: bool = False) -> subprocess.Popen:
    ignore = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" if ignoring else ""
    process = subprocess.Popen(
        [sys.executable, "-c", ignore + PRELUDE + body],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test runner in the background ignores Ctrl-C, and its children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    out, said = process.communicate(timeout=30)
    return process.returncode, out, said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_it_waits_for_is_left_with_11_and_a_line(number):
    process = start(WAITING)
    process.send_signal(number)
    code, out, said = finish(process)
    assert (code, out) == (11, "left\n")
    assert said == f"Stopped: stopped by {signal.Signals(number).name}; start it again\n"


def test_what_is_being_written_is_finished_first():
    process = start(WRITING)
    process.send_signal(signal.SIGTERM)
    code, out, _ = finish(process)
    assert (code, out) == (11, "written\n")


def test_a_second_signal_ends_at_once():
    process = start(SLOW_TO_END)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "ending\n"
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == -signal.SIGTERM
    assert time.monotonic() - began < 10


def test_a_signal_that_python_had_to_swallow_is_obeyed_at_the_next_safe_point():
    process = start(DESTRUCTOR)
    process.send_signal(signal.SIGTERM)
    code, out, _ = finish(process)
    assert (code, out) == (11, "block\n")


def test_a_background_job_goes_on_ignoring_ctrl_c():
    process = start(WAITING, ignoring=True)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 11


def test_afterwards_signals_mean_what_they_meant_before():
    process = start(ENDED)
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == -signal.SIGTERM


def test_outside_the_main_thread_nothing_is_changed():
    before, done = signal.getsignal(signal.SIGTERM), []

    def run() -> None:
        with stops_on_signal("start it again"), finishes_first():
            done.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [before]
    stop_here()
