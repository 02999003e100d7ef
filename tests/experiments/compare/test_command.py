"""``python -m experiments.compare`` and ``make compare``: the command line, and the whole of it on phantoms."""

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from experiments.compare.__main__ import read_arguments
from experiments.compare.errors import StudyError
from experiments.compare.study_file import STUDIES, read_study
from experiments.federation.template import REPOSITORY
from tests.experiments.compare.conftest import content_with

_LONGEST_S = 900
# Small enough for minutes on a core, large enough to learn something.
LEARNS = [
    "task_runner.settings.steps_per_round=16",
    "task_runner.settings.network.arguments.channels=[8, 16]",
    "task_runner.settings.network.arguments.strides=[2]",
    "data_loader.settings.patch_voxels=[32, 32, 32]",
]


def test_the_study_of_an_anatomy_and_the_choice_of_it():
    settings = read_arguments(["--anatomy", "head_neck", "--data", "d", "--schemes", "individual gossip", "--seeds", "2 0"])
    assert {name: scheme.seeds for name, scheme in settings.study.schemes.items() if scheme.seeds} == {
        "individual": (0, 2),
        "gossip": (0, 2),
    }
    assert settings.output == Path("runs/compare_head_neck") and settings.processes is None
    plain = read_arguments(["--anatomy", "head_neck", "--data", "d", "--processes", "3", "--output", "o"])
    assert plain.study == read_study(STUDIES / "head_neck.yaml")
    assert (plain.output, plain.processes) == (Path("o"), 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "d"], "give --anatomy or --study"),
        (["--anatomy", "head_neck"], "make compare DATA="),
        (["--anatomy", "head_neck", "--data", "d", "--seeds", "0,1"], "expected whole numbers of at least 0"),
        (["--anatomy", "head_neck", "--data", "d", "--seeds", "-1"], "expected whole numbers of at least 0"),
        (["--anatomy", "head_neck", "--data", "d", "--processes", "0"], "expected a whole number of at least 1"),
    ],
)
def test_a_command_line_that_means_nothing_is_refused(arguments, said, capsys):
    with pytest.raises(SystemExit) as refused:
        read_arguments(arguments)
    assert refused.value.code == 2 and said in capsys.readouterr().err


def test_anatomy_and_study_must_fit():
    with pytest.raises(StudyError, match="expected a study of liver, found 'phantom' of phantom"):
        read_arguments(["--anatomy", "liver", "--study", str(STUDIES / "phantom.yaml"), "--data", "d"])


@pytest.mark.parametrize("command", ["compare", "report"])
def test_nothing_slow_is_loaded_before_a_stop_is_answered(command):
    slow = "{'torch', 'numpy', 'scipy', 'SimpleITK', 'openfl'}"
    code = f"import sys, experiments.{command}.__main__; print(*{slow} & {{*sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_make_hands_everything_on(tmp_path):
    words = ["ANATOMY=phantom", f"DATA={tmp_path}/my data", "SCHEMES=gossip fedavg", "SEEDS=0 1", "RUN=tried", "PROCESSES=2"]
    # Within `make test` a make says which folder it enters.
    quiet = ["make", "-n", "--no-print-directory", "-o", ".venv/.installed"]
    shown = subprocess.run([*quiet, "compare", *words], cwd=REPOSITORY, capture_output=True)
    arguments = shlex.split(shown.stdout.decode().replace("\\\n", " "))
    assert arguments[:3] == [".venv/bin/python", "-m", "experiments.compare"]
    settings = read_arguments(arguments[3:])
    assert settings.data == tmp_path / "my data" and settings.output == Path("runs/tried") and settings.processes == 2
    assert settings.study.schemes["gossip"].seeds == (0, 1) and settings.study.schemes["pooled"].seeds == ()


@pytest.mark.slow
def test_a_whole_comparison_that_is_stopped_and_goes_on(phantoms, tmp_path):
    """Real searches, trainings and scores of every kind of scheme; the two sites of phantoms."""
    without = {"plan": "fedavg", "without": ["site_b"], "learning_rate_of": "fedavg"}
    content = content_with("schemes.fedavg_without_site_b", without)
    del content["schemes"]["gossip_without_site_c"]
    content["changes"] = LEARNS
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(content))
    places = ["--study", str(tmp_path / "tiny.yaml"), "--data", str(phantoms), "--output", str(tmp_path / "study")]
    command = [sys.executable, "-m", "experiments.compare", *places, "--processes", "2"]
    started = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + _LONGEST_S
        while not list((tmp_path / "study").glob("train/*/seed_0/logs/*/metrics.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.2)
        started.send_signal(signal.SIGINT)
        said, _ = started.communicate(timeout=60)
    finally:
        started.kill()
    assert started.returncode == 130 and "the same command goes on from here" in said, said
    before = {path: path.read_text() for path in (tmp_path / "study").glob("search/*/*/done.json")}
    assert before and not list((tmp_path / "study").glob("scores/*/cyclic/*"))

    finished = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=_LONGEST_S)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert all(path.read_text() == text for path, text in before.items())
    study = tmp_path / "study"
    rows = [json.loads(line) for path in study.glob("scores/valid/*/seed_0.jsonl") for line in path.open()]
    last = [row for row in rows if row["which"] == "last"]
    assert {row["arm"] for row in last} == {
        *("individual", "pooled", "pooled_local", "fedavg", "fedavg_local", "cyclic", "gossip", "gossip_consensus"),
        *("fedavg_without_site_b", "fedavg_without_site_b_local"),
    }
    assert max(row["dice"] or 0 for row in last) > 0.1
    assert {row["patient_site"] for row in last if row["arm"] == "fedavg_without_site_b_local"} == {"site_a", "site_b"}
    # Every scheme took as many steps, and pooled those of both sites together.
    steps = {scheme: steps_of(study / "train" / scheme / "seed_0") for scheme in ("individual", "gossip", "fedavg", "pooled")}
    assert set(steps.values()) == {2 * 4 * 16}
    assert "0 failed" not in finished.stdout and "report: .venv/bin/python -m experiments.report" in finished.stdout

    again = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=_LONGEST_S)
    assert again.returncode == 0 and "done: " not in again.stdout


def steps_of(run: Path) -> int:
    events = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return sum(event["steps"] for event in events if event["phase"] == "train")
