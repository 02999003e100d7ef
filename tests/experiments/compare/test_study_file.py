from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.compare.errors import StudyError
from experiments.compare.jobs import jobs_of
from experiments.compare.plans import check_plans, sites_of
from experiments.compare.study_file import STUDIES, read_study, study_of
from experiments.silent_site import SilentSite
from tests.experiments.compare.conftest import CONTENT, SITES, content_with, small_study

SIX_SITES = [f"site_{letter}" for letter in "abcdef"]


@pytest.mark.parametrize("name", ["head_neck", "liver", "phantom"])
def test_the_studies_here_can_run(name):
    study = read_study(STUDIES / f"{name}.yaml")
    check_plans(study, SIX_SITES)
    assert study.name == study.anatomy == name
    assert study.hypothesis.reference in study.schemes


def test_the_ablations_here_can_run_and_are_each_a_line_of_their_own():
    study = read_study(STUDIES / "head_neck_ablation.yaml")
    check_plans(study, SIX_SITES)
    assert study.anatomy == "head_neck" and study.hypothesis is None
    jobs = jobs_of(study, SIX_SITES)
    assert [job.scheme for job in jobs.values() if job.kind == "train"] == list(study.schemes)
    entries = [{**asdict(scheme), "name": None, "seeds": None} for scheme in study.schemes.values()]
    assert all(entry not in entries[:number] for number, entry in enumerate(entries))
    numbers = {name: len(sites_of(study, study.schemes[name], SIX_SITES)) for name in study.schemes}
    assert {name: number for name, number in numbers.items() if number != 3} == {f"gossip_sites_{n}": n for n in (2, 4, 6)}
    # Rounds that nobody trains are no work.
    assert jobs["train/gossip/seed_0"].steps - jobs["train/gossip_silent/seed_0"].steps == 7 * 30


@pytest.mark.parametrize(
    ("dotted", "value", "said"),
    [
        ("round", 3, "unknown setting 'round'; did you mean 'rounds'"),
        ("schemes.gossip.chanjes", [], "schemes.gossip: unknown setting 'chanjes'; did you mean 'changes'"),
        ("hypothesis.margins", 1, "hypothesis: unknown setting"),
        ("anatomy", "lung", "anatomy: expected one of head_neck, liver, phantom"),
        ("rounds", "4", "rounds: expected a whole number of at least 2"),
        ("rounds", True, "rounds: expected a whole number"),
        ("local_finish_rounds", 4, "local_finish_rounds: expected a whole number from 0 to 3"),
        ("learning_rates", [], "learning_rates: expected at least one"),
        ("learning_rates", 0.003, "learning_rates: expected a list"),
        ("learning_rates", ["3e-3"], "learning_rates: expected a number"),
        ("learning_rates", [0.01, 0.01], "0.01 twice"),
        ("cross_site", "yes", "cross_site: expected true or false"),
        ("seeds", [-1], "seeds: expected a whole number of at least 0"),
        ("changes", ["task_runner.settings.steps_per_round"], "changes: expected section.settings.key=value"),
        ("changes", ["task_runner.settings.optimisation.learning_rate=1"], "what the search chooses"),
        ("comparisons", [["gossip"]], "comparisons: expected 2 names in each"),
        ("hypothesis.margin", -0.1, "hypothesis.margin: expected a number"),
        ("schemes", {}, "schemes: expected at least one"),
        ("schemes.Gossip", {"plan": "gossip"}, "expected a name of lower-case letters"),
        ("schemes.gossip", {}, "schemes.gossip: expected 'plan'"),
        ("schemes.gossip.steps", "all", "schemes.gossip.steps: expected one of own, sum"),
        ("schemes.gossip.steps", "sum", "sum is for pooled data"),
        ("schemes.gossip.learning_rate_of", "cyclic", "expected a scheme with a search of its own"),
        ("schemes.gossip.learning_rate_of", "nobody", "found 'nobody'"),
        ("schemes.gossip.silent", "site_a", "schemes.gossip.silent: expected settings"),
        ("schemes.gossip.silent", {"site": "site_a"}, "schemes.gossip.silent: expected 'from_round'"),
        ("schemes.gossip.silent", {"site": "site_a", "round": 2}, "schemes.gossip.silent: unknown setting 'round'"),
        (
            "schemes.gossip.silent",
            {"site": "site_a", "from_round": 0},
            "silent.from_round: expected a whole number of at least 1",
        ),
        ("sensitivity_without", [{"patient": "x"}], "sensitivity_without: expected 'why'"),
    ],
)
def test_what_is_not_meant_is_refused(dotted, value, said):
    with pytest.raises(StudyError) as refused:
        study_of("small", content_with(dotted, value))
    assert "study 'small'" in str(refused.value) and said in str(refused.value)


@pytest.mark.parametrize("missing", ["anatomy", "rounds", "learning_rates", "schemes"])
def test_what_must_be_said_is_asked_for(missing):
    with pytest.raises(StudyError, match=f"expected '{missing}'"):
        study_of("small", {key: value for key, value in CONTENT.items() if key != missing})


@pytest.mark.parametrize(
    ("dotted", "value", "said"),
    [
        ("schemes.gossip.plan", "gosip", "schemes.gossip: expected a plan of plan/plans, found 'gosip_phantom'"),
        ("schemes.gossip.changes", ["collaborator.settings.exchange.sede=1"], "did you mean 'seed'"),
        ("changes", ["task_runner.settings.step=5"], "schemes.individual: the plan has no 'task_runner.settings.step'"),
        ("changes", [], "schemes.pooled.steps: expected task_runner.settings.steps_per_round in the study's changes"),
        ("schemes.individual.pooled_data", True, "schemes.individual.pooled_data: expected a plan with an aggregator"),
        ("schemes.gossip.without", ["site_x"], "expected sites of the data (site_a, site_b, site_c), found 'site_x'"),
        ("schemes.gossip.without", SITES, "found all left out"),
        ("schemes.gossip.changes", ["collaborator.settings.exchange.warm_up_rounds=9"], "no exchange in 4 rounds"),
        ("schemes.gossip.changes", ["collaborator.settings.exchange.warm_up_rounds=2"], "short runs of its search: "),
        ("schemes.fedavg.silent", {"site": "site_a", "from_round": 2}, "schemes.fedavg: silent: expected a gossip plan"),
        ("schemes.individual.silent", {"site": "site_a", "from_round": 2}, "schemes.individual: silent: expected a schedule"),
        ("schemes.gossip.silent", {"site": "site_d", "from_round": 2}, "schemes.gossip: silent.site: expected a site"),
        ("schemes.gossip.silent", {"site": "site_a", "from_round": 4}, "silent.from_round: expected 1 to 3"),
        ("schemes.gossip_without_site_c.silent", {"site": "site_a", "from_round": 2}, "expected at least 3 sites"),
        ("comparisons", [["gossip", "fedavg_finish"]], "comparisons: expected an arm of individual, "),
        ("advice", ["pooled_own"], "advice: expected an arm of"),
        ("hypothesis.reference", "poold", "hypothesis: expected an arm of"),
        ("schemes.fedavg_local", {"plan": "individual"}, "both leave an arm 'fedavg_local'"),
    ],
)
def test_what_could_not_run_is_refused_before_anything_does(dotted, value, said):
    with pytest.raises(StudyError) as refused:
        check_plans(small_study(dotted, value), SITES)
    assert said in str(refused.value)


def test_a_file_that_is_none_says_which_there_are(tmp_path):
    with pytest.raises(
        StudyError, match=r"no 'lung.yaml'; experiments/studies has head_neck, head_neck_ablation, liver, phantom"
    ):
        read_study(tmp_path / "lung.yaml")
    (tmp_path / "broken.yaml").write_text("anatomy: [")
    with pytest.raises(StudyError, match=r"'broken.yaml' is no YAML"):
        read_study(tmp_path / "broken.yaml")
    (tmp_path / "empty.yaml").touch()
    with pytest.raises(StudyError, match="study 'empty': study: expected settings"):
        read_study(tmp_path / "empty.yaml")


@settings(deadline=None, max_examples=25)
@given(
    schemes=st.none() | st.sets(st.sampled_from(sorted(CONTENT["schemes"])), min_size=1),
    seeds=st.none() | st.lists(st.integers(0, 9), min_size=1),
)
def test_written_out_in_full_it_is_read_as_the_same(schemes, seeds):
    study = small_study().only(schemes, seeds)
    assert study_of(study.name, study.content()) == study
    asked = {name for name, scheme in study.schemes.items() if scheme.seeds}
    assert asked == (set(CONTENT["schemes"]) if schemes is None else schemes)
    assert {scheme.seeds for name, scheme in study.schemes.items() if name in asked} == {tuple(sorted(set(seeds or [0])))}


def test_a_silent_site_is_written_out_and_read_again():
    study = small_study("schemes.gossip.silent", {"site": "site_b", "from_round": 2})
    assert study.schemes["gossip"].silent == SilentSite(site="site_b", from_round=2)
    assert study.content()["schemes"]["gossip"]["silent"] == {"site": "site_b", "from_round": 2}
    assert study_of(study.name, study.content()) == study


def test_a_scheme_that_there_is_not_cannot_be_asked_for():
    with pytest.raises(StudyError, match="found 'fedprox'"):
        small_study().only(["gossip", "fedprox"], None)
