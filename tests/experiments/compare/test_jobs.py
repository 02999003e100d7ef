import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.compare.jobs import jobs_of
from tests.experiments.compare.conftest import CONTENT, SITES, small_study

STUDY = small_study()


@settings(deadline=None, max_examples=10)
@given(schemes=st.sets(st.sampled_from(sorted(CONTENT["schemes"])), min_size=1), num_seeds=st.integers(1, 3))
def test_every_job_comes_after_what_it_needs(schemes, num_seeds):
    jobs = jobs_of(STUDY.only(schemes, range(num_seeds)), SITES)
    seen = set()
    for name, job in jobs.items():
        assert job.name == name and seen.issuperset(job.needs)
        seen.add(name)
    trained = [job for job in jobs.values() if job.kind == "train"]
    assert sorted((job.scheme, job.seed) for job in trained) == sorted((s, n) for s in schemes for n in range(num_seeds))
    assert len({job.done for job in jobs.values()}) == len(jobs)


def test_a_scheme_that_lends_its_learning_rate_is_searched_and_not_trained():
    jobs = jobs_of(STUDY.only(["cyclic"], [3]), SITES)
    assert list(jobs) == [
        *("search/fedavg/lr_0.003", "search/fedavg/lr_0.01", "choose/fedavg"),
        *("choose/cyclic", "train/cyclic/seed_3", "score/cyclic/seed_3"),
    ]
    assert jobs["choose/cyclic"].needs == ("choose/fedavg",) and jobs["train/cyclic/seed_3"].needs == ("choose/cyclic",)
    assert str(jobs["score/cyclic/seed_3"].done) == "scores/valid/cyclic/seed_3.jsonl"
    assert jobs["search/fedavg/lr_0.003"].seed == 0


def test_one_candidate_is_no_search():
    jobs = jobs_of(small_study("learning_rates", [0.003]), SITES)
    assert not [job for job in jobs.values() if job.kind == "search"]
    needs = {job.scheme: job.needs for job in jobs.values() if job.kind == "choose"}
    assert needs["gossip"] == needs["fedavg"] == () and needs["cyclic"] == ("choose/fedavg",)


@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("individual", 4 * 5 * 3),
        ("gossip", 4 * 5 * 3),
        ("gossip_without_site_c", 4 * 5 * 2),
        # The last round is trained twice: together, and by each site alone.
        ("fedavg", 4 * 5 * 3 + 1 * 5 * 3),
        ("pooled", 4 * 15 + 1 * 5 * 3),
    ],
)
def test_the_steps_of_a_run(scheme, steps):
    assert jobs_of(STUDY, SITES)[f"train/{scheme}/seed_0"].steps == steps


def test_what_the_study_claims_something_of_is_core():
    core = {job.scheme for job in jobs_of(STUDY, SITES).values() if job.core}
    assert core == {"gossip", "pooled", "fedavg"}
