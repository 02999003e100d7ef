"""Whose models on whose patients."""

import math

import pytest

from experiments.statistics.score import ScoreTableError
from experiments.statistics.study import Study
from experiments.statistics.views import cross_site, of_model, own_site
from tests.experiments.statistics.score_tables import one

EVERY_MODEL = [
    one("a", value, site=site, model_site=model)
    for (model, site), value in {
        ("site_a", "site_a"): 0.9,
        ("site_b", "site_a"): 0.5,
        ("site_c", "site_a"): 0.7,
        ("site_a", "site_b"): 0.4,
        ("site_b", "site_b"): 0.8,
        ("site_c", "site_b"): math.nan,
    }.items()
]
SHARED = [one("shared", 0.6, site=site) for site in ("site_a", "site_b")]


def values(scores) -> dict:
    return {score.patient_site: score.value for score in scores}


def test_a_sites_own_model():
    assert values(own_site(EVERY_MODEL)) == {"site_a": 0.9, "site_b": 0.8}


def test_one_model_on_all_patients():
    assert values(of_model(EVERY_MODEL, "site_a")) == {"site_a": 0.9, "site_b": 0.4}


def test_the_other_sites_models_are_averaged():
    found = cross_site(EVERY_MODEL)
    assert values(found) == pytest.approx({"site_a": 0.6, "site_b": 0.4})
    assert Study.of(found).series("a").values_PK.ravel() == pytest.approx([0.6, 0.4])


def test_nobody_elses_number_is_an_absence():
    scores = [one("a", 0.5, model_site="site_a"), one("a", math.nan, model_site="site_b")]
    assert math.isnan(cross_site(scores)[0].value)


def test_a_shared_model_is_in_every_view():
    for view in (own_site(SHARED), of_model(SHARED, "site_a"), cross_site(SHARED)):
        assert values(view) == {"site_a": 0.6, "site_b": 0.6}


def test_a_study_without_a_view_is_refused():
    with pytest.raises(ScoreTableError, match="choose a view"):
        Study.of(EVERY_MODEL)
