"""The command: what it writes, what it says, and that test patients are not scored by accident."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml

from experiments.command import exit_code_of
from experiments.federation.template import REPOSITORY
from experiments.report import __main__ as command
from experiments.report.__main__ import read_arguments
from experiments.report.make import make_report
from tests.experiments.report.parsed import parse
from tests.experiments.small_study import make_small_study


def run(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["report", *arguments])
    return exit_code_of(command.main)


def test_without_data_the_scores_that_are_there_are_shown(study, tmp_path, capsys):
    settings = read_arguments(["--study", str(study), "--figures", str(tmp_path / "figures")])
    assert make_report(replace(settings, num_resamples=50)) == study / "report_valid" / "report.html"
    assert "without pictures" in capsys.readouterr().out
    document = parse((study / "report_valid" / "report.html").read_text(encoding="utf-8"))
    results = json.loads((study / "report_valid" / "results.json").read_text(encoding="utf-8"))
    assert results["split"] == "valid" and not results["final"]
    assert f"python -m experiments.report --study {study}" in document.text
    assert "The pictures are left out" in document.text and results["answer"][0] in document.text
    assert not list(study.glob("**/*.partial"))
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        "differences.svg", "structures.svg", "bytes_against_dice.svg", "learning_curves.svg"
    }  # fmt: skip


def test_test_patients_need_data_and_a_registration(tmp_path, monkeypatch, capsys):
    study = make_small_study(tmp_path / "never_registered")
    assert run(monkeypatch, "--study", str(study), "--final") != 0
    assert "give --data" in capsys.readouterr().err
    (tmp_path / "data").mkdir()
    assert run(monkeypatch, "--study", str(study), "--final", "--data", str(tmp_path / "data")) != 0
    assert "never_registered.chosen" in capsys.readouterr().err
    assert not (study / "report_test").exists()


def test_a_folder_that_is_no_study_is_refused(tmp_path, monkeypatch, capsys):
    assert run(monkeypatch, "--study", str(tmp_path)) != 0
    assert "study.yaml" in capsys.readouterr().err


def test_a_report_of_no_study_names_what_is_typed(capsys):
    with pytest.raises(SystemExit):
        read_arguments(["--final"])
    assert "make report RUN=" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "is_final"), [("1", True), ("0", False), ("", False)])
def test_only_final_1_scores_the_test_patients(typed, is_final):
    words = ["-o", ".venv/.installed", "report", "RUN=there_is_none", f"FINAL={typed}"]
    shown = subprocess.run(["make", "-n", *words], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "experiments.report" in shown.stdout and ("--final" in shown.stdout) == is_final


def test_make_takes_no_other_final_for_validation():
    words = ["-o", ".venv/.installed", "report", "RUN=there_is_none", "FINAL=yes"]
    made = subprocess.run(["make", *words], cwd=REPOSITORY, capture_output=True, text=True)
    assert made.returncode != 0 and "expected FINAL=1 or no FINAL, found FINAL=yes" in made.stderr


def test_the_command_is_shown_as_it_was_typed():
    settings = read_arguments(["--study", "runs/a b", "--final"])
    assert settings.final and settings.command == "python -m experiments.report --study 'runs/a b' --final"


TINY = {
    "anatomy": "phantom",
    "rounds": 3,
    "local_finish_rounds": 1,
    "changes": [
        "task_runner.settings.steps_per_round=2",
        "task_runner.settings.network.arguments.channels=[4, 8]",
        "task_runner.settings.network.arguments.strides=[2]",
        "task_runner.settings.network.arguments.num_res_units=1",
        "data_loader.settings.patch_voxels=[32, 32, 32]",
    ],
    "learning_rates": [0.003],
    "search_rounds": 3,
    "search_seed": 0,
    "seeds": [0],
    "hypothesis": {"text": "Gossip is not inferior.", "scheme": "gossip", "reference": "individual", "margin": 0.02},
    "comparisons": [["gossip", "individual"]],
    "advice": ["individual", "gossip"],
    "schemes": {"individual": {"plan": "individual"}, "gossip": {"plan": "gossip"}},
}


@pytest.mark.slow
def test_a_study_that_was_really_trained_has_a_page_with_pictures(phantoms, tmp_path):
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    study = tmp_path / "study"
    for module, *arguments in (
        ("experiments.compare", "--study", tmp_path / "tiny.yaml", "--data", phantoms, "--output", study, "--processes", "1"),
        ("experiments.report", "--study", study),
    ):
        subprocess.run([sys.executable, "-m", module, *map(str, arguments)], cwd=REPOSITORY, check=True, timeout=600)
    document = parse((study / "report_valid" / "report.html").read_text(encoding="utf-8"))
    (worst,) = [section for section in document.all("section") if section.attributes["id"] == "worst-cases"]
    pictures = [image.attributes["src"] for image in worst.all("img")]
    results = json.loads((study / "report_valid" / "results.json").read_text(encoding="utf-8"))
    assert pictures and len(pictures) == len(results["worst_cases"])
    assert all(source.startswith("data:image/png;base64,") for source in pictures)
    assert "Treat it as patient data" in document.text and "gossip: {" in document.text
