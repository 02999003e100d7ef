import io
import json
import shutil

import pytest
import yaml
from rich.console import Console

from experiments.scoring import RegistrationError, read_scores, score_study, score_training_run
from experiments.scoring.registration import register
from tests.experiments.scoring.conftest import commit
from tests.experiments.scoring.runs import individual_run, write_study, write_tiny_model


@pytest.fixture
def study(tmp_path):
    folder = write_study(tmp_path / "okbp")
    for seed in (0, 1):
        individual_run(folder / "train" / "individual" / f"seed_{seed}", seed, which=("last",))
    return folder


@pytest.fixture
def scored(study, data, repository):
    """Scores the study, and says which runs were scored and how many looks there are."""
    results = repository / "docs" / "results.md"

    def score(split="valid", final=False, **more):
        console = Console(file=io.StringIO())
        files = score_study(study, data, split, final, console=console, repository=repository, results=results, **more)
        said = [line.split("/")[-1] for line in console.file.getvalue().splitlines()]
        return files, said, results.read_text().count("registered as")

    return score


def test_finished_runs_are_scored_once_and_no_look_is_logged_for_validation(scored, study):
    individual_run(study / "train" / "individual" / "seed_2", 2)
    (study / "train" / "individual" / "seed_2" / "done.json").unlink()
    files, said, looks = scored()
    assert files == [study / "scores" / "valid" / "individual" / f"seed_{seed}.jsonl" for seed in (0, 1)]
    assert (said, looks) == (["seed_0", "seed_1"], 0)
    assert {row.seed for row in read_scores(study / "scores" / "valid")} == {0, 1}
    before = [file.stat().st_mtime_ns for file in files]
    assert scored() == (files, [], 0) and [file.stat().st_mtime_ns for file in files] == before


def test_scores_are_made_again_when_they_no_longer_stand_for_the_models(scored, study):
    (_, file), _, _ = scored()
    before = file.read_bytes()
    write_tiny_model(study / "train" / "individual" / "seed_1" / "save" / "site_a" / "last.safetensors", draw=99)
    assert scored()[1] == ["seed_1"] and file.read_bytes() != before
    file.write_bytes(before)
    assert scored()[1] == ["seed_1"] and file.read_bytes() != before
    file.with_suffix(".stamp.json").write_text("{")
    assert scored()[1] == ["seed_1"]
    file.unlink()
    assert scored()[1] == ["seed_1"]
    assert scored()[1] == []
    assert scored(own_site_only=True)[1] == ["seed_0", "seed_1"]


def test_the_study_says_whether_other_sites_patients_are_scored(scored, study):
    content = yaml.safe_load((study / "study.yaml").read_text())
    (study / "study.yaml").write_text(yaml.safe_dump({**content, "cross_site": False}))
    files, _, _ = scored()
    assert all(row.model_site == row.patient_site for row in read_scores(files[0]))
    content["schemes"]["individual"]["without"] = ["site_b"]
    (study / "study.yaml").write_text(yaml.safe_dump({**content, "cross_site": False}))
    scored()
    assert any(row.model_site != row.patient_site for row in read_scores(files[0]))


def test_scores_that_a_job_made_are_taken_as_they_are(scored, study, data):
    run, target = study / "train" / "individual" / "seed_0", study / "scores" / "valid" / "individual" / "seed_0.jsonl"
    score_training_run(run, data, "valid", target)
    assert scored()[1] == ["seed_1"]


def test_test_patients_need_final_a_committed_registration_and_leave_a_look(scored, study, data, repository):
    for split, final in (("test", False), ("valid", True)):
        with pytest.raises(RegistrationError, match="make report FINAL=1"):
            scored(split, final)
    with pytest.raises(RegistrationError, match="found no file"):
        scored("test", True)
    register(study, data, repository)
    with pytest.raises(RegistrationError, match="not committed"):
        scored("test", True)
    assert not (study / "scores").exists()
    commit(repository)
    files, said, looks = scored("test", True)
    assert (said, looks) == (["seed_0", "seed_1"], 1)
    assert {row.patient for file in files for row in read_scores(file)} == {"site_a_02", "site_b_02"}
    assert scored("test", True) == (files, [], 1)
    row = (repository / "docs" / "results.md").read_text().splitlines()[-1]
    assert "| okbp | 4 models of 2 runs: individual | make report FINAL=1; registered as " in row


def test_the_same_run_is_not_scored_again_without_another_look(scored, study, data, repository):
    register(study, data, repository)
    commit(repository)
    files, _, _ = scored("test", True)
    files[0].unlink()
    _, said, looks = scored("test", True, reason="the file was lost")
    assert (said, looks) == (["seed_0"], 2)
    assert "the file was lost" in (repository / "docs" / "results.md").read_text().splitlines()[-1]


def test_a_table_that_is_gone_stops_the_look_before_a_patient_is_read(scored, study, data, repository):
    register(study, data, repository)
    commit(repository)
    (repository / "docs" / "results.md").write_text("# Results\n")
    with pytest.raises(RegistrationError, match="Looks at the test patients"):
        scored("test", True)
    assert not (study / "scores").exists()


def test_a_run_that_fails_leaves_the_look_it_had(scored, study, data, repository):
    register(study, data, repository)
    commit(repository)
    (study / "train" / "individual" / "seed_1" / "save" / "site_a" / "last.safetensors").write_bytes(b"x")
    with pytest.raises(Exception, match=r"last\.safetensors"):
        scored("test", True)
    assert [file.name for file in study.glob("scores/test/*/*.jsonl")] == ["seed_0.jsonl"]
    assert (repository / "docs" / "results.md").read_text().count("registered as") == 1


def test_a_study_without_finished_runs_has_no_scores(scored, study):
    shutil.rmtree(study / "train")
    assert scored() == ([], [], 0)


@pytest.mark.slow
def test_more_processes_write_the_same_bytes(scored, study, data, repository):
    register(study, data, repository)
    commit(repository)
    files, _, _ = scored("test", True)
    before = [(file.read_bytes(), json.loads(file.with_suffix(".stamp.json").read_text())) for file in files]
    shutil.rmtree(study / "scores")
    _, said, looks = scored("test", True, num_processes=2)
    assert (sorted(said), looks) == (["seed_0", "seed_1"], 2)
    assert [(file.read_bytes(), json.loads(file.with_suffix(".stamp.json").read_text())) for file in files] == before
