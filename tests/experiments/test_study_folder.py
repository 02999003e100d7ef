import pytest

from experiments.study_folder import (
    DONE,
    STUDY_FILE,
    StudyFolderError,
    done_runs,
    own_site_only_of,
    seed_of_folder,
    study_of,
    training_folder,
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / STUDY_FILE).write_text("schemes: {gossip: {}, fedavg: {}}\n")
    return tmp_path


def add_run(folder, scheme, seed, done=True):
    run = folder / training_folder(scheme, seed)
    run.mkdir(parents=True)
    if done:
        (run / DONE).touch()
    return run


def test_done_runs_are_in_the_studys_order_and_seeds_are_numbers(folder):
    tenth, second = add_run(folder, "gossip", 10), add_run(folder, "gossip", 2)
    add_run(folder, "gossip", 3, done=False)
    assert list(done_runs(folder).items()) == [("gossip", [second, tenth]), ("fedavg", [])]
    assert [seed_of_folder(run) for run in (second, tenth)] == [2, 10]
    assert study_of(tenth) == folder.resolve()


def test_what_belongs_to_no_scheme_or_has_no_seed_is_refused(folder):
    stray = add_run(folder, "gosip", 0)
    with pytest.raises(StudyFolderError, match=r"expected training runs of gossip, fedavg, found one of 'gosip'"):
        done_runs(folder)
    (stray / DONE).unlink()
    add_run(folder, "gossip", "first")
    with pytest.raises(StudyFolderError, match="found 'seed_first'"):
        done_runs(folder)


@pytest.mark.parametrize(("cross_site", "without", "expected"), [(True, [], False), (False, [], True), (False, ["a"], False)])
def test_other_sites_patients_are_left_out_only_where_the_study_says_so_and_no_site_is(cross_site, without, expected):
    assert own_site_only_of({"cross_site": cross_site, "schemes": {"gossip": {"without": without}}}, "gossip") is expected
