"""The check `make` runs first: also with Pythons that could not read the rest of the project."""

import ast
import shutil
import subprocess
import sys

import pytest

from experiments.check_python import complaint
from experiments.federation.template import REPOSITORY

SCRIPT = REPOSITORY / "experiments" / "check_python.py"


@pytest.mark.parametrize("version", [(2, 7), (3, 9), (3, 13), (4, 0)])
def test_other_pythons_get_one_sentence(version):
    assert f"found {version[0]}.{version[1]}" in complaint(version)


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12)])
def test_supported_pythons_pass(version):
    assert complaint(version) == ""


def test_as_a_script_it_passes_here():
    assert subprocess.run([sys.executable, SCRIPT]).returncode == 0


@pytest.mark.parametrize("version", [(3, 9), (3, 13)])
def test_make_stops_before_it_makes_anything(version, tmp_path):
    for file in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / file, tmp_path)
    (tmp_path / "experiments").mkdir()
    shutil.copy(SCRIPT, tmp_path / "experiments")
    pretends = f"import runpy, sys; sys.version_info = {(*version, 0)}; runpy.run_path(sys.argv[1], run_name='__main__')"
    other = tmp_path / "other_python"
    other.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{pretends}" "$@"\n')
    other.chmod(0o755)
    made = subprocess.run(["make", "demo", f"PYTHON={other}"], cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode != 0
    assert f"expected Python 3.10, 3.11 or 3.12, found {version[0]}.{version[1]}" in made.stderr
    assert not (tmp_path / ".venv").exists()


def test_an_old_python_can_read_it():
    ast.parse(SCRIPT.read_text(), feature_version=(3, 4))


def test_bare_make_prints_every_target():
    printed = subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "test-all", "lint", "federation", "bench"):
        assert f"make {target} " in printed
