from dataclasses import replace

from experiments.results.never_learned import never_learned
from experiments.results.scored_study import read_scored_study
from experiments.statistics.study import Study
from experiments.statistics.views import own_site


def test_cells_that_only_other_arms_have_are_counted(small_study, small_results):
    scores = own_site(read_scored_study(small_study, "valid").scores())
    cells = {(score.patient_site, score.patient, score.structure) for score in scores}
    assert small_results["never_learned"] == {"num_contoured": len(cells), "by_arm": {}}
    unlearned = [
        score for score in scores if (score.scheme, score.patient_site, score.structure) != ("gossip", "site_a", "Esophagus")
    ]
    assert never_learned(Study.of(unlearned)) == {"num_contoured": len(cells), "by_arm": {"gossip": 6}}
    # Of a true absence there is a score, which has no number.
    absent = [replace(score, value=float("nan")) if score.scheme == "gossip" else score for score in scores]
    assert never_learned(Study.of(absent))["by_arm"] == {}
