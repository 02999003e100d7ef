import sys

import pytest

from experiments.command import exit_code_of
from experiments.scoring.register import main
from experiments.scoring.registration import registration_path
from tests.experiments.scoring.runs import write_study


def test_a_study_without_runs_is_refused_and_nothing_is_written(tmp_path, data, monkeypatch, capsys):
    study = write_study(tmp_path / "a_study_that_nobody_ran")
    monkeypatch.setattr(sys, "argv", ["register", "--study", str(study), "--data", str(data)])
    assert exit_code_of(main) == 1
    assert "expected finished training runs in 'a_study_that_nobody_ran'" in capsys.readouterr().err
    assert not registration_path(study).exists()


def test_it_wants_a_study(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["register"])
    with pytest.raises(SystemExit):
        main()
    assert "--study" in capsys.readouterr().err
