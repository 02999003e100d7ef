"""Every target of the fuzzer on its seeds and on what was ever found; and that the fuzzer itself reports what it finds."""

import importlib.util
import os
import random
import subprocess
import sys
from importlib import import_module

import pytest

from tests.conftest import REPOSITORY
from tests.fuzz.__main__ import fuzz, names
from tests.fuzz.corpus_folder import CORPUS
from tests.fuzz.outcome import outcome_of
from tests.fuzz.recipe import joined, mutated, parted

MODULES = [name for name in names() if name != "snapshot"]  # that one's tests stand in tests/src/exchange/test_snapshot.py
needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris has wheels for Linux on x86-64 with Python 3.11 and newer alone",
)


@pytest.mark.parametrize("name", MODULES)
def test_what_was_kept_and_some_of_its_neighbours_break_no_law(name):
    target, draw = import_module(f"tests.fuzz.targets.{name}"), random.Random(0)
    kept = [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
    inputs = [*target.seeds(), *getattr(target, "fresh_seeds", list)(), *kept]
    assert inputs
    for content in inputs:
        target.check(content)
        for number in range(5):
            target.check(mutated(content, 16384, number, lambda data, _: _flipped(data, draw)))


def _flipped(content: bytes, draw: random.Random) -> bytes:
    """One bit changed, as the simplest of fuzzers would."""
    changed = bytearray(content or b"\x00")
    changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def test_every_kept_input_belongs_to_a_target():
    assert {path.name for path in CORPUS.iterdir()} <= set(MODULES)
    assert sum(path.stat().st_size for path in CORPUS.glob("*/*")) < 32_000


def test_parts_come_back_as_they_were():
    assert parted(joined(b"", b"a", bytes(300))) == [b"", b"a", bytes(300)]
    assert parted(b"\x05\x00ab") == [b"ab"] and parted(b"") == []


def test_a_fuzzer_that_did_not_end_well_has_found_something():
    ended = "#12 NEW    cov: 7 ft: 9 corp: 3/21b exec/s: 0\nDone 40 runs in 2 second(s)\n"
    good = outcome_of("one", ended, 0)
    assert (good.executions, good.edges, good.features, good.kept, good.found) == (40, 7, 9, 3, False)
    assert outcome_of("one", ended, 77).found and outcome_of("one", "", 0).found
    assert "SOMETHING" in outcome_of("one", "", 1).line() and "nothing" in good.line()


@needs_atheris
def test_a_planted_fault_is_found(tmp_path):
    outcome = fuzz("tests.fuzz.planted_fault", tmp_path, 60)
    assert outcome.found and "a planted fault" in outcome.report
    assert [path for path in tmp_path.iterdir() if path.name.startswith("found-crash")]


@needs_atheris
@pytest.mark.slow
def test_a_minute_of_each_target_finds_nothing(tmp_path):
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", "60", "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stdout + done.stderr[-6000:]
    assert done.stdout.count("nothing") == len(names())
