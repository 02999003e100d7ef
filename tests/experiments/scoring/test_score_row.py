import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from experiments.scoring import METRICS, ScoreFileError, ScoreRow, as_score
from src.evaluation.structure_metrics import STATUSES, StructureMetrics, measure

NAMES = {"arm": "gossip", "seed": 1, "which": "last", "model_site": "site_a"}
NAMES |= {"patient_site": "site_b", "patient": "p1", "structure": "Brainstem"}
MASK = arrays(bool, (3, 3, 3), elements=st.booleans(), fill=st.just(False))


def row_of(metrics: StructureMetrics, **names) -> ScoreRow:
    numbers = {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in asdict(metrics).items()}
    return ScoreRow(**{**NAMES, **names, **numbers})


def content_of(status: str, tolerance_mm: float | None = 1.0) -> dict:
    pred, truth = np.zeros((2, 4, 4, 4), bool)
    pred[:2], truth[1:] = status in ("compared", "invented"), status in ("compared", "missed")
    return asdict(row_of(measure(pred, truth, (1.0, 2.0, 3.0), tolerance_mm)))


@given(pred=MASK, truth=MASK, tolerance=st.sampled_from([None, 0.0, 1.0]), spacing=st.sampled_from([0.7, 3.906]))
def test_whatever_is_measured_makes_a_row(pred, truth, tolerance, spacing):
    row = row_of(measure(pred, truth, (spacing, spacing, 2.5), tolerance))
    for metric in METRICS:
        value, score = getattr(row, metric), as_score(row, metric)
        assert math.isnan(score.value) == (value is None)
        assert value is None or abs(score.value) == abs(value)
        assert (score.scheme, score.seed, score.model_site, score.patient) == ("gossip", 1, "site_a", "p1")
        assert (score.patient_site, score.structure) == ("site_b", "Brainstem")


def test_higher_scores_are_better():
    good, poor = content_of("compared"), content_of("compared")
    poor |= {"dice": 0.1, "surface_dice": 0.1, "hd95_mm": good["hd95_mm"] + 1}
    poor |= {"pred_cm3": 0.0001, "volume_difference_cm3": 0.0001 - good["truth_cm3"]}
    poor["relative_volume_difference"] = poor["volume_difference_cm3"] / poor["truth_cm3"]
    for metric in METRICS:
        assert as_score(ScoreRow(**good), metric).value > as_score(ScoreRow(**poor), metric).value, metric
    with pytest.raises(ScoreFileError, match="expected a metric of dice"):
        as_score(ScoreRow(**good), "seed")


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_what_its_numbers_say(status):
    content = content_of(status)
    assert content["status"] == status
    for other in set(STATUSES) - {status}:
        with pytest.raises(ScoreFileError):
            ScoreRow(**{**content, "status": other})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("arm", ""), ("arm", 1), ("seed", -1), ("seed", 1.0), ("seed", True), ("which", "first"), ("model_site", "")],
        *[("patient", None), ("patient_site", ""), ("structure", "Liver2"), ("structure", None), ("status", "")],
        *[("dice", 1.01), ("dice", None), ("dice", math.nan), ("dice", "0.5"), ("dice", True), ("hd95_mm", -1.0)],
        *[("hd95_mm", math.inf), ("assd_mm", None), ("surface_dice", None), ("surface_dice", 2.0), ("tolerance_mm", None)],
        *[("tolerance_mm", -1.0), ("pred_cm3", 0.0), ("pred_cm3", None), ("truth_cm3", -1.0), ("volume_difference_cm3", None)],
        *[("volume_difference_cm3", 9.0), ("relative_volume_difference", 9.0), ("relative_volume_difference", None)],
    ],
)
def test_a_value_that_cannot_be_is_refused(name, value):
    with pytest.raises(ScoreFileError, match="score the run again"):
        ScoreRow(**{**content_of("compared"), name: value})


@pytest.mark.parametrize("status", ["missed", "invented"])
@pytest.mark.parametrize("name", ["dice", "surface_dice"])
def test_an_organ_that_is_missed_or_invented_scores_0(status, name):
    with pytest.raises(ScoreFileError, match="0 where one mask alone is empty"):
        ScoreRow(**{**content_of(status), name: 0.5})
    with pytest.raises(ScoreFileError, match="that fits"):
        ScoreRow(**{**content_of(status), name: None})


def test_a_structure_without_tolerance_has_no_surface_dice():
    content = content_of("compared", tolerance_mm=None)
    assert content["surface_dice"] is None and math.isnan(as_score(ScoreRow(**content), "surface_dice").value)
    with pytest.raises(ScoreFileError, match="no surface_dice without a tolerance"):
        ScoreRow(**{**content, "surface_dice": 0.5})
