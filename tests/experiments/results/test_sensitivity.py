from experiments.results import collect
from experiments.results.comparisons import primary
from experiments.results.scored_study import read_scored_study
from experiments.results.sensitivity import unknown_patients, without_patients
from experiments.statistics.resampling import resample
from experiments.statistics.study import Study
from experiments.statistics.views import own_site
from tests.experiments.small_study import make_small_study


def test_the_primary_comparison_is_made_again_without_chosen_patients(tmp_path):
    chosen = [{"patient": "a_valid_1", "why": "the contour is on another patient"}, {"patient": "c_valid_0", "why": "cut off"}]
    elsewhere = {"patient": "a_test_1", "why": "cut off"}
    study = make_small_study(tmp_path / "study", seeds=(0,), sensitivity_without=[*chosen, elsewhere])
    results = collect(study, None, "valid", num_resamples=500)
    assert [row["without"] for row in results["sensitivity"]] == [chosen, chosen[:1], chosen[1:]]
    assert [row["difference"]["counts"]["num_patients"] for row in results["sensitivity"]] == [13, 14, 14]
    assert results["primary"]["difference"]["counts"]["num_patients"] == 15
    assert any(
        sentence.startswith("Without a_valid_1 (the contour is on another patient) and c_valid_0")
        for sentence in results["answer"]
    )


def test_it_is_the_comparison_of_a_study_that_never_had_them(small_study):
    scored = read_scored_study(small_study, "valid")
    settings = {**scored.settings, "sensitivity_without": [{"patient": "a_valid_1", "why": "cut off"}]}
    scores = own_site(scored.scores())
    kept = [score for score in scores if score.patient != "a_valid_1"]
    study = Study.of(kept)
    (row,) = without_patients(settings, scores, 100)
    assert {**row, "without": None} == {**primary(settings, study, resample(study, 100)), "without": None}
    assert without_patients(settings, kept, 100) == []
    assert unknown_patients(settings, kept) == ["a_valid_1"]


def test_patients_of_one_site_alone_can_be_meant(small_study):
    scored = read_scored_study(small_study, "valid")
    chosen = {"patient": "a_valid_1", "why": "cut off"}
    for site, num_rows in (("site_a", 1), ("site_b", 0)):
        settings = {**scored.settings, "sensitivity_without": [{**chosen, "site": site}]}
        assert len(without_patients(settings, own_site(scored.scores()), 100)) == num_rows


def test_none_are_left_out_unless_the_study_says_so(small_results):
    assert small_results["sensitivity"] == []
