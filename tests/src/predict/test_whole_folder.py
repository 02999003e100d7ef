"""Whatever moment the writer is stopped at, a folder is there whole or not at all."""

import signal
import subprocess
import sys

import pytest

from src.predict.whole_folder import whole_folder
from tests.conftest import REPOSITORY

KILLED = """
import os, signal, sys
from pathlib import Path
from src.predict.whole_folder import whole_folder
with whole_folder(Path(sys.argv[1])) as folder:
    (folder / "first").write_text("1")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def write(folder, *names: str) -> None:
    with whole_folder(folder) as partial:
        for name in names:
            (partial / name).write_text(name)


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("there_before", [False, True])
def test_a_writer_killed_between_two_files_leaves_no_half_folder(tmp_path, there_before):
    folder = tmp_path / "patient_1"
    if there_before:
        write(folder, "old")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(folder)], cwd=REPOSITORY, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert names(folder) == {"old"} if there_before else not folder.exists()
    write(folder, "first", "second")
    assert names(tmp_path) == {"patient_1"}
    assert names(folder) == {"first", "second"}


def test_an_error_leaves_what_was_there(tmp_path):
    folder = tmp_path / "patient_1"
    write(folder, "old")
    with pytest.raises(ValueError), whole_folder(folder) as partial:
        (partial / "new").write_text("new")
        raise ValueError
    assert names(tmp_path) == {"patient_1"}
    assert names(folder) == {"old"}
