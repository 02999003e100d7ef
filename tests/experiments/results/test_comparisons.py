import pytest

from experiments.results import collect
from experiments.results.answer import answer
from experiments.results.comparisons import planned_pairs, primary
from experiments.results.scored_study import read_scored_study
from experiments.statistics.resampling import resample
from experiments.statistics.study import Study
from experiments.statistics.views import own_site
from tests.experiments.results.rewriting import keep_rows
from tests.experiments.small_study import make_small_study


@pytest.mark.parametrize(
    ("gossip", "verdict", "superior", "said"),
    [
        (0.08, "not inferior", True, "gossip is not inferior to pooled by the margin of 0.02 Dice; it is better: +0.0"),
        (0.02, "not inferior", False, "gossip is not inferior to pooled by the margin of 0.02 Dice: −0.0"),
        (0.005, "not shown", False, "It is not shown whether gossip is inferior to pooled or not by the margin of 0.02 Dice"),
        (-0.05, "inferior", False, "gossip is inferior to pooled by the margin of 0.02 Dice: −0.0"),
    ],
)
def test_each_verdict_of_the_primary_question_occurs_and_is_said(tmp_path, small_results, gossip, verdict, superior, said):
    folder = make_small_study(tmp_path / "study", quality={"gossip": gossip})
    scored = read_scored_study(folder, "valid")
    study = Study.of(own_site(scored.scores()))
    resampling = resample(study, 500)
    found, pairs = primary(scored.settings, study, resampling), planned_pairs(scored.settings, study, resampling)
    assert (found["verdict"], found["superior"]) == (verdict, superior)
    sentence = answer({**small_results, "primary": found, "comparisons": pairs})[0]
    assert sentence.startswith(said)
    assert "15 patients of 3 sites, 2 seeds" in sentence


def test_too_few_patients_are_not_tested_and_shown_all_the_same(tmp_path):
    study = make_small_study(tmp_path / "study", seeds=(0,))
    keep_rows(study, lambda row: row["patient_site"] == "site_c")
    results = collect(study, None, "valid", num_resamples=500)
    assert results["primary"]["verdict"] == "not tested"
    assert results["primary"]["difference"]["value"] is not None
    assert results["answer"][0].startswith("Whether gossip is inferior to pooled cannot be tested with so few patients")
    assert all(pair["p_holm"] is None for pair in results["comparisons"])
    assert not any(sentence.startswith("Federating pays") or "is better than" in sentence for sentence in results["answer"])


def test_without_scores_of_an_arm_the_primary_question_stays_open(tmp_path):
    study = make_small_study(tmp_path / "study", seeds=(0,))
    (study / "scores" / "valid" / "pooled").rename(tmp_path / "elsewhere")
    results = collect(study, None, "valid", num_resamples=500)
    assert results["primary"] is None
    assert results["non_inferiority"] == []
    assert results["answer"][0] == "The primary question, gossip against pooled, has no answer yet: no scores of pooled."
    assert [pair["difference"]["minus"] for pair in results["comparisons"]] == ["fedavg_local", "individual"]
    assert results["not_done"] == ["pooled seed 0 (trained, not scored)"]


def test_every_other_arm_is_held_against_the_reference(small_results):
    names = [row["difference"]["scheme"] for row in small_results["non_inferiority"]]
    assert names == ["fedavg", "fedavg_local", "gossip_consensus", "individual"]
    assert all(row["secondary"] and row["difference"]["minus"] == "pooled" for row in small_results["non_inferiority"])


def test_federated_arms_are_compared_with_training_alone_as_a_family(small_results):
    pairs = small_results["against_individual"]
    assert [pair["difference"]["scheme"] for pair in pairs] == ["gossip", "fedavg", "fedavg_local"]
    assert {pair["difference"]["minus"] for pair in pairs} == {"individual"}
    assert min(pair["test"]["p_value"] for pair in pairs) * 3 == pytest.approx(min(pair["p_holm"] for pair in pairs))
