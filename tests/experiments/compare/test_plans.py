import pytest

from experiments.compare.plans import digest_of, plan_of, steps_of_a_site
from tests.experiments.compare.conftest import CONTENT, SITES, small_study


def plan(study, scheme, seed=0, learning_rate=0.01, search=False):
    return plan_of(study, study.schemes[scheme], SITES, seed=seed, learning_rate=learning_rate, search=search)


@pytest.mark.parametrize("scheme", sorted(CONTENT["schemes"]))
def test_every_scheme_gets_its_seed_and_learning_rate(scheme):
    # 1e-05 as YAML would be a text.
    made = plan(small_study(), scheme, seed=7, learning_rate=1e-05)
    assert made["data_loader"]["settings"]["random_seed"] == made["task_runner"]["settings"]["random_seed"] == 7
    assert made["task_runner"]["settings"]["optimisation"]["learning_rate"] == 1e-05
    assert made["task_runner"]["settings"]["schedule_rounds"] == 4
    if scheme in ("individual", "cyclic", "gossip"):
        assert made["collaborator"]["settings"]["exchange"]["seed"] == 7
        assert made["collaborator"]["settings"]["roster"] == SITES
        assert made["collaborator"]["settings"]["rounds"] == 4


def test_a_search_is_short_and_its_learning_rate_decays_over_it():
    gossip, fedavg = (plan(small_study(), name, search=True) for name in ("gossip", "fedavg"))
    assert gossip["collaborator"]["settings"]["rounds"] == gossip["task_runner"]["settings"]["schedule_rounds"] == 3
    assert fedavg["aggregator"]["settings"]["rounds_to_train"] == 4  # the closing validation is one of them


def test_the_local_finish_is_the_study_s_unless_a_scheme_says_otherwise():
    def local_rounds(study, scheme):
        return plan(study, scheme)["collaborator"]["settings"]["exchange"]["local_rounds_at_end"]

    assert local_rounds(small_study(), "gossip") == 1
    own = "collaborator.settings.exchange.local_rounds_at_end=0"
    assert local_rounds(small_study("schemes.gossip.changes", [own]), "gossip") == 0
    # A chain has none, and a site that is always alone keeps what its plan says.
    assert local_rounds(small_study(), "cyclic") == 0


def test_pooled_takes_the_steps_of_all_sites_or_of_one():
    def steps(study):
        return plan(study, "pooled")["task_runner"]["settings"]["steps_per_round"]

    together, alone = small_study(), small_study("schemes.pooled.steps", "own")
    assert (steps(together), steps(alone)) == (15, 5)
    for study in (together, alone):
        assert steps_of_a_site(study, study.schemes["pooled"], SITES) == 5


def test_a_digest_is_of_what_makes_a_scheme_another():
    def digest(study, scheme="gossip"):
        return digest_of(study, study.schemes[scheme], SITES)

    study = small_study()
    assert digest(study) == digest(study.only(["gossip"], [5])) == digest(small_study("advice", []))
    others = [digest(small_study("rounds", 5)), digest(small_study("changes", ["task_runner.settings.steps_per_round=6"]))]
    assert len({digest(study), digest(study, "individual"), *others}) == 4
