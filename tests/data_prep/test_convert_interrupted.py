"""Killed at whatever moment and started again, a conversion ends with the same bytes as one that nobody disturbed."""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing import forkserver
from pathlib import Path

import pytest

from data_prep.__main__ import main
from data_prep.conversion.jobs import start_server
from data_prep.conversion.lock import conversion_lock
from data_prep.conversion.source import rules_digest
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from tests.data_prep.conftest import AS_IN_A_TERMINAL, ROOT
from tests.data_prep.test_convert import patient_folder, small_patient, tree
from tests.small_export import write_export, write_rtstruct

NUM_PATIENTS = 3
NUM_STEPS = 18  # of a conversion of these; a later one is none, and the tests below would say so
KILLED = -signal.SIGKILL


def arguments(export: Path, output: Path) -> list[str]:
    return ["convert", "--input", str(export), "--output", str(output), "--site", "n", "--anatomy", "liver", "--jobs", "2"]


def run_and_kill(argv: list[str], *, after_steps: int | None = None, after_s: float | None = None) -> int:
    """The command in a process of its own, killed for real before its n-th file step, or after a time; its exit code.

    The process is forked, so that it need not import everything once more.
    """
    process = multiprocessing.get_context("fork").Process(target=_run, args=(argv, after_steps))
    process.start()
    process.join(60 if after_s is None else after_s)
    if process.is_alive():
        assert after_s is not None
        process.kill()
        process.join()
        time.sleep(0.1)
        start_server()  # in real life a run has one of its own; this one may have been in the middle of a word with the killed
    return process.exitcode


def _run(argv: list[str], after_steps: int | None) -> None:
    steps = 0

    def counted(original):
        def call(*values, **options):
            nonlocal steps
            steps += 1
            if after_steps is not None and steps > after_steps:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*values, **options)

        return call

    for owner, name in ((Path, "replace"), (Path, "mkdir"), (Path, "write_text"), (shutil, "rmtree")):
        setattr(owner, name, counted(getattr(owner, name)))
    # The server that jobs are forked from is this process's aunt: it is there, but cannot be waited for.
    forkserver.ensure_running = forkserver._forkserver.ensure_running = lambda: None
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os._exit(main(argv))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, Path, dict[str, bytes]]:
    """An export of three patients, one of them refused; the key; and the bytes of its conversion."""
    folder = tmp_path_factory.mktemp("interrupted")
    write_export(folder / "in", *(small_patient(number) for number in range(1, NUM_PATIENTS + 1)))
    (patient_folder(folder / "in", 3) / "RS.dcm").unlink()
    rules_digest()  # read before the forks: the code that they run
    start_server()
    assert main(arguments(folder / "in", folder / "out")) == 1
    return folder / "in", folder / "out_private" / "key", tree(folder / "out")


@pytest.fixture
def output(undisturbed, tmp_path) -> Path:
    """Where to convert to, with the same key."""
    (tmp_path / "out_private").mkdir(mode=0o700)
    shutil.copy(undisturbed[1], tmp_path / "out_private" / "key")
    return tmp_path / "out"


def assert_valid(output: Path) -> None:
    """What a killed run left is a dataset: every recorded case is there, whole."""
    if not (output / "dataset.json").exists():
        return
    dataset = Dataset.open(output)
    for case, record in dataset.cases.items():
        dataset.read_ct(case)
        for name in record.structures:
            dataset.read_mask(case, name)


FAST_STEPS = (5, 9, 14)
ALL_STEPS = [step if step in FAST_STEPS else pytest.param(step, marks=pytest.mark.slow) for step in range(NUM_STEPS)]


@pytest.mark.parametrize("step", ALL_STEPS)
def test_killed_before_any_step_it_goes_on_and_ends_with_the_same_bytes(undisturbed, output, step):
    export, _, expected = undisturbed
    assert run_and_kill(arguments(export, output), after_steps=step) == KILLED
    assert_valid(output)
    assert run_and_kill(arguments(export, output)) == 1
    assert tree(output) == expected


def test_killed_again_and_again_it_gets_there(undisturbed, output):
    export, _, expected = undisturbed
    times = random.Random(7)
    for _ in range(6):
        code = run_and_kill(arguments(export, output), after_s=times.uniform(0.02, 0.5))
        assert code in (KILLED, 1)
        assert_valid(output)
    assert run_and_kill(arguments(export, output)) == 1
    assert tree(output) == expected


@pytest.mark.parametrize("step", [9, *(pytest.param(step, marks=pytest.mark.slow) for step in (3, 4, 5, 6, 7, 8, 10))])
def test_killed_while_a_case_is_replaced_the_split_is_kept(undisturbed, output, tmp_path, step):
    """The record is gone for a moment then, and the split with it."""
    export = shutil.copytree(undisturbed[0], tmp_path / "in")
    assert run_and_kill(arguments(export, output)) == 1
    splits = dict.fromkeys(Dataset.open(output).cases, "test")
    DatasetWriter(output, anatomy="liver", site="n").set_splits(splits)
    for number in (1, 2):
        write_rtstruct(patient_folder(export, number) / "RS.dcm", small_patient(number))  # a new time of change
    assert run_and_kill(arguments(export, output), after_steps=step) == KILLED
    assert run_and_kill(arguments(export, output)) == 1
    assert {case: record.split for case, record in Dataset.open(output).cases.items()} == splits


def test_ctrl_c_ends_it_at_once_without_a_traceback(undisturbed, output, tmp_path):
    """As a terminal sends it: to every process of the command."""
    # Many, so that a busy machine is not done before the signal is sent.
    export = write_export(tmp_path / "in", *(small_patient(number) for number in range(1, 21)))
    command = [sys.executable, "-m", "data_prep", *arguments(export, output)]
    pipes = {"stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes, **AS_IN_A_TERMINAL) as process:
        deadline = time.monotonic() + 60
        while not list(output.glob("conversion/*.json")) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == "stopped; what was written is a valid dataset, and the same command goes on from it\n"
    assert_valid(output)
    assert 0 < len(list(output.glob("conversion/*.json"))) < 20


def test_two_conversions_into_one_dataset_are_one_too_many(undisturbed, output, capsys):
    with conversion_lock(output.with_name("out_private")):
        assert main(arguments(undisturbed[0], output)) == 1
    assert "found another at work" in capsys.readouterr().err
