import math

import pytest

from experiments.results.scored_study import read_scored_study
from experiments.statistics.score import ScoreTableError
from experiments.study_folder import StudyFolderError
from tests.experiments.results.rewriting import read_lines
from tests.experiments.small_study import ARMS, make_small_study


def test_arms_are_those_of_the_scores_in_the_order_of_the_schemes(small_study):
    scored = read_scored_study(small_study, "valid")
    assert [(arm.name, arm.scheme, arm.shared, arm.without) for arm in scored.arms] == sorted(
        [(arm.name, arm.scheme, arm.shared, arm.without) for arm in ARMS],
        key=lambda row: (list(scored.settings["schemes"]).index(row[1]), row[0]),
    )
    assert all(arm.seeds == (0, 1) for arm in scored.arms)


def test_arms_trained_without_a_site_are_not_compared(small_study):
    compared = read_scored_study(small_study, "valid").compared
    assert set(compared) == {arm.name for arm in ARMS if not arm.without}


def test_scores_are_the_rows_of_one_kind_of_model(small_study):
    scored = read_scored_study(small_study, "valid")
    rows = [row for row in read_lines(small_study) if row["arm"] == "gossip" and row["which"] == "best"]
    scores = scored.scores("hd95_mm", "best", ["gossip"])
    assert len(scores) == len(rows) > 0
    assert sorted(score.value for score in scores if not math.isnan(score.value)) == sorted(
        row["hd95_mm"] for row in rows if row["hd95_mm"] is not None
    )


def test_an_absolute_measure_has_no_sign(small_study):
    scored = read_scored_study(small_study, "valid")
    signed = [score.value for score in scored.scores("relative_volume_difference")]
    absolute = [score.value for score in scored.scores("absolute_relative_volume_difference")]
    assert min(signed) < 0
    assert [abs(value) for value in signed if not math.isnan(value)] == [value for value in absolute if not math.isnan(value)]


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(StudyFolderError, match=r"study\.yaml"):
        read_scored_study(tmp_path, "valid")


def test_a_study_without_scores_of_the_split_is_refused(small_study):
    with pytest.raises(ScoreTableError, match="score the runs first"):
        read_scored_study(small_study, "test")


def test_an_arm_is_shared_or_it_is_not(tmp_path):
    study = make_small_study(tmp_path / "study", seeds=(0,))
    file = study / "scores" / "valid" / "pooled" / "seed_0.jsonl"
    first, *others = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text(first.replace('"model_site": null', '"model_site": "site_b"') + "".join(others), encoding="utf-8")
    with pytest.raises(ScoreTableError, match="pooled, found both"):
        read_scored_study(study, "valid")
