"""What a command ends with: its refusals and those of a disk in a sentence each, everything else as it came."""

import errno
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from experiments.command import INTERRUPTED, exit_code_of
from src.errors import DiskError, FederationError
from tests.conftest import REPOSITORY
from tests.src.tiny_disk import fill, tiny_disk

NOBODY = 65534


@contextmanager
def without_rights():
    """As a user to whom no file of a test belongs."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def refuse():
    raise FederationError("expected two sites, found one; add one")


def interrupt():
    raise KeyboardInterrupt


def test_a_command_that_ends_well_and_one_that_is_stopped(capsys):
    assert exit_code_of(lambda: None) == 0
    assert exit_code_of(interrupt) == INTERRUPTED
    assert capsys.readouterr().err == "stopped; everything it started has ended\n"


def test_a_refusal_is_its_own_words_and_exit_code(capsys):
    assert exit_code_of(refuse) == 1
    assert capsys.readouterr().err == "error: expected two sites, found one; add one\n"


def test_a_full_disk_is_told_in_a_sentence(tmp_path, capsys):
    with tiny_disk(tmp_path / "disk") as disk:
        fill(disk)
        assert exit_code_of(lambda: (disk / "events.jsonl").write_text("an event\n" * 1000)) == DiskError.exit_code
    said = capsys.readouterr().err
    assert said.startswith("error: expected room to write") and "full disk" in said and said.count("\n") == 1


def test_a_read_only_disk_is_told_in_a_sentence(tmp_path, capsys):
    with tiny_disk(tmp_path / "disk") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert exit_code_of(lambda: (disk / "logs").mkdir()) == DiskError.exit_code
    said = capsys.readouterr().err
    assert "Read-only file system" in said and "make the disk work" in said and said.count("\n") == 1


def test_a_folder_of_somebody_else_is_told_in_a_sentence(tmp_path, capsys):
    logs = tmp_path / "logs"
    logs.mkdir(mode=0o700)
    with without_rights():
        code = exit_code_of(lambda: (logs / "events.jsonl").write_text("an event\n"))
    said = capsys.readouterr().err
    assert code == DiskError.exit_code and "events.jsonl" in said and "Permission denied" in said and said.count("\n") == 1


def test_what_is_no_fault_of_a_disk_keeps_its_traceback(tmp_path):
    with pytest.raises(FileNotFoundError):
        exit_code_of(lambda: (tmp_path / "nothing").read_text())

    def refused_by_the_system():
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with pytest.raises(PermissionError):
        exit_code_of(refused_by_the_system)


@pytest.mark.slow
def test_a_study_that_may_not_be_written_ends_in_a_sentence(tmp_path, phantoms):
    with tiny_disk(tmp_path / "disk") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        command = [sys.executable, "-m", "experiments.compare", "--anatomy", "phantom", "--data", str(phantoms)]
        command += ["--output", str(disk / "study")]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert done.returncode == DiskError.exit_code, done.stderr
    assert "Traceback" not in done.stderr and "Read-only file system" in done.stderr
