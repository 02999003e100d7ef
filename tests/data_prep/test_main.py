"""The command line itself: what it lists, and how it ends."""

import signal
import subprocess
import sys
import time

import pytest

from data_prep.__main__ import COMMANDS, main
from src.data.dataset import Dataset
from tests.data_prep.conftest import AS_IN_A_TERMINAL, ROOT


def test_every_command_explains_itself(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert "--" in capsys.readouterr().out


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert [command for command in COMMANDS if command not in printed] == []


@pytest.mark.parametrize("argv", [[], ["convrt"], ["split"], ["check"], ["import-nifti", "--table", "x.csv"]])
def test_a_command_line_that_makes_no_sense_ends_with_2(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_ctrl_c_ends_an_import_with_130_and_without_a_traceback(openkbp, tmp_path):
    rows = (openkbp / "cases.csv").read_text().splitlines()
    (tmp_path / "cases.csv").write_text("\n".join([rows[0], *(row for row in rows if ",site_d," in row)]) + "\n")
    argv = ["--table", str(tmp_path / "cases.csv"), "--images", str(openkbp / "ct"), "--labels", str(openkbp / "label")]
    options = ["--label-map", "data_prep/maps/openkbp.csv", "--anatomy", "head_neck", "--output", str(tmp_path / "out")]
    command = [sys.executable, "-m", "data_prep", "import-nifti", *argv, *options]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, **pipes, **AS_IN_A_TERMINAL)
    give_up = time.monotonic() + 60
    while not list((tmp_path / "out").glob("*/cases/openkbp*")) and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped; what was written is a valid dataset" in message
    assert "Traceback" not in message
    for site in sorted((tmp_path / "out").iterdir()):
        dataset = Dataset.open(site)
        assert [case for case in dataset.cases if not dataset.ct_path(case).is_file()] == []
