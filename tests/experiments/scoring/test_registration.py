import hashlib
import json
import shutil

import pytest
import yaml

from experiments.scoring import RegistrationError, check_registered
from experiments.scoring.plan_digest import plan_digest
from experiments.scoring.registration import register, registration_path, registration_text
from experiments.study_folder import StudyFolderError
from tests.experiments.scoring.conftest import commit
from tests.experiments.scoring.runs import tiny_plan, write_run, write_study


@pytest.fixture
def study(tmp_path):
    folder = write_study(tmp_path / "okbp", ["gossip", "fedavg", "cyclic"])
    for scheme in ("gossip", "fedavg"):
        for seed in (10, 2):
            write_run(folder / "train" / scheme / f"seed_{seed}", [], seed=seed)
    return folder


@pytest.fixture
def registered(study, data, repository):
    register(study, data, repository)
    commit(repository)
    return study


def change(study, **settings):
    content = yaml.safe_load((study / "study.yaml").read_text())
    (study / "study.yaml").write_text(yaml.safe_dump({**content, **settings}))


def test_it_says_what_was_chosen_one_line_a_scheme(study, data):
    text = registration_text(study, data)
    content = yaml.safe_load(text)
    assert content["hypothesis"]["text"] == "t" and content["local_finish_rounds"] == 2
    trained = {"plan": plan_digest(tiny_plan()), "sites": ["site_a", "site_b"], "seeds": [2, 10]}
    assert content["schemes"] == {"cyclic": {"plan": None, "sites": [], "seeds": []}, "fedavg": trained, "gossip": trained}
    assert [line.split(":")[0].strip() for line in text.splitlines()[-3:]] == ["cyclic", "fedavg", "gossip"]
    digests = {site: hashlib.sha256((data / site / "dataset.json").read_bytes()).hexdigest() for site in ("site_a", "site_b")}
    assert content["dataset"] == digests
    with pytest.raises(RegistrationError, match="give --data"):
        registration_text(study)
    change(study, sites=digests)
    assert registration_text(study) == text


def test_seeds_of_one_scheme_must_share_the_plan_and_the_sites(study, data):
    plan = tiny_plan(7)
    plan["data_loader"]["settings"]["batch_size"] = 3
    write_run(study / "train" / "gossip" / "seed_7", [], seed=7, plan=plan)
    with pytest.raises(RegistrationError, match="one plan and the same sites for all seeds of gossip"):
        registration_text(study, data)
    write_run(study / "train" / "gossip" / "seed_7", [], seed=7, sites=("site_a",))
    with pytest.raises(RegistrationError, match="for all seeds of gossip"):
        registration_text(study, data)
    (study / "train" / "gossip" / "seed_7" / "done.json").unlink()
    assert registration_text(study, data)


def test_a_committed_registration_is_accepted_by_its_digest(registered, data, repository):
    path = registration_path(registered, repository)
    assert path == repository / "experiments" / "studies" / "okbp.chosen"
    assert check_registered(registered, data, repository) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_registered_is_refused(study, data, repository):
    with pytest.raises(RegistrationError, match=r"found no file; run `\.venv/bin/python -m experiments\.scoring\.register"):
        check_registered(study, data, repository)
    spaced = study.rename(study.with_name("two words"))
    with pytest.raises(RegistrationError, match=f"--study '{spaced}'` and commit"):
        check_registered(spaced, data, repository)


def test_a_registration_that_is_not_committed_as_it_is_is_refused(study, data, repository):
    path = register(study, data, repository)
    with pytest.raises(RegistrationError, match="found it not committed"):
        check_registered(study, data, repository)
    commit(repository)
    check_registered(study, data, repository)
    write_run(study / "train" / "cyclic" / "seed_0", [])
    assert register(study, data, repository) == path
    with pytest.raises(RegistrationError, match="found it not committed"):
        check_registered(study, data, repository)


def test_a_registration_outside_git_is_refused(study, data, tmp_path):
    (tmp_path / "plain").mkdir()
    register(study, data, tmp_path / "plain")
    with pytest.raises(RegistrationError, match="found no commit that git can read there; work in a git clone"):
        check_registered(study, data, tmp_path / "plain")


def test_whatever_changes_afterwards_shows_by_name(registered, data, repository, tmp_path):
    def refused(what, of=data):
        with pytest.raises(RegistrationError, match=f"found a change in {what}"):
            check_registered(registered, of, repository)

    change(registered, hypothesis={"text": "another"})
    refused("hypothesis")
    change(registered, hypothesis={"text": "t", "scheme": "individual"}, comparisons=[["gossip", "fedavg"]])
    refused("comparisons")
    change(registered, comparisons=[])
    check_registered(registered, data, repository)
    write_run(registered / "train" / "gossip" / "seed_3", [], seed=3)
    refused("gossip")
    shutil.rmtree(registered / "train" / "gossip" / "seed_3")
    plan = tiny_plan(2)
    plan["task_runner"]["settings"]["overlap"] = 0.5
    for seed in (2, 10):
        write_run(registered / "train" / "fedavg" / f"seed_{seed}", [], plan=plan)
    refused("fedavg")
    for seed in (2, 10):
        write_run(registered / "train" / "fedavg" / f"seed_{seed}", [], seed=seed)
    check_registered(registered, data, repository)
    moved = shutil.copytree(data, tmp_path / "moved")
    index = moved / "site_a" / "dataset.json"
    content = json.loads(index.read_text())
    content["cases"]["site_a_00"]["split"] = "test"
    index.write_text(json.dumps(content))
    refused("dataset", moved)


def test_a_line_that_was_edited_by_hand_and_committed_is_refused(registered, data, repository):
    path = registration_path(registered, repository)
    path.write_text(path.read_text().replace('"t"', '"what we found"'))
    commit(repository)
    with pytest.raises(RegistrationError, match="found a change in hypothesis"):
        check_registered(registered, data, repository)


def test_a_folder_that_is_no_study_is_refused(tmp_path, data, study):
    with pytest.raises(StudyFolderError, match="expected a study with schemes"):
        registration_text(tmp_path, data)
    write_run(study / "train" / "stray" / "seed_0", [])
    with pytest.raises(StudyFolderError, match="found one of 'stray'"):
        registration_text(study, data)
    with pytest.raises(RegistrationError, match="expected finished training runs"):
        registration_text(write_study(tmp_path / "empty"), data)
