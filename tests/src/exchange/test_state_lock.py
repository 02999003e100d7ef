"""One process a state folder; real processes hold it, end, and are killed."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from src.errors import FederationError
from src.exchange.state_lock import state_lock

REPOSITORY = Path(__file__).resolve().parents[3]
HOLDER = """
import subprocess, sys
from pathlib import Path
from src.exchange.state_lock import state_lock
with state_lock(Path(sys.argv[1])):
    child = subprocess.Popen(["sleep", "60"]) if sys.argv[2] == "with a child" else None
    print(child.pid if child else "held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(folder: Path, how: str = "alone"):
    """A process that holds the folder's lock until it is told to end; gives the process and what it said."""
    command = [sys.executable, "-c", HOLDER, str(folder), how]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def test_a_second_process_is_refused_and_told_which_site_it_is(tmp_path):
    with holder(tmp_path / "site_a") as (process, said):
        assert said == "held"
        with (
            pytest.raises(FederationError, match=r"the only process of site 'site_a'.*end it first"),
            state_lock(tmp_path / "site_a"),
        ):
            pytest.fail("two processes hold the folder")
        with state_lock(tmp_path / "site_b"):
            pass
        process.communicate("")
        assert process.returncode == 0
    with state_lock(tmp_path / "site_a"):
        pass


def test_a_killed_process_leaves_the_folder_free(tmp_path):
    with holder(tmp_path / "site_a") as (process, _):
        process.kill()
        process.wait()
        with state_lock(tmp_path / "site_a"):
            pass


def test_what_a_killed_process_had_started_does_not_keep_the_folder(tmp_path):
    with holder(tmp_path / "site_a", "with a child") as (process, child):
        try:
            process.kill()
            process.wait()
            assert Path(f"/proc/{child}").exists(), "the child outlives it"
            with state_lock(tmp_path / "site_a"):
                pass
        finally:
            subprocess.run(["kill", child], check=False)


def test_an_error_within_leaves_the_folder_free(tmp_path):
    with pytest.raises(KeyError), state_lock(tmp_path / "site_a"):
        raise KeyError
    with state_lock(tmp_path / "site_a"):
        pass
