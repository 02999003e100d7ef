"""Patients are drawn within their site, seeded, and the same whatever the schemes are."""

import numpy as np
import pytest

from experiments.statistics.resampling import resample
from experiments.statistics.study import Study
from tests.experiments.statistics.score_tables import one

SIZES = {"site_a": 4, "site_b": 1, "site_c": 7}


def study_of(*schemes: str) -> Study:
    return Study.of(
        [
            one(scheme, 0.5, patient=f"p{n}", site=site)
            for scheme in schemes
            for site, size in SIZES.items()
            for n in range(size)
        ]
    )


def test_each_resample_holds_as_many_patients_of_each_site():
    study = study_of("a")
    weights_PR = resample(study, num_resamples=100).weights_PR
    for site, size in enumerate(SIZES.values()):
        assert (weights_PR[study.site_P == site].sum(axis=0) == size).all()


def test_every_patient_is_drawn_as_often():
    weights_PR = resample(study_of("a"), num_resamples=4000).weights_PR
    # The mean of 4000 draws has a standard error below 1 / sqrt(4000) = 0.016.
    assert weights_PR.mean(axis=1) == pytest.approx(np.ones(12), abs=0.06)


def test_the_schemes_do_not_change_the_resamples():
    assert np.array_equal(resample(study_of("a"), 50).weights_PR, resample(study_of("a", "b", "c"), 50).weights_PR)


def test_the_seed_decides():
    study = study_of("a")
    assert np.array_equal(resample(study, 50, random_seed=3).weights_PR, resample(study, 50, random_seed=3).weights_PR)
    assert not np.array_equal(resample(study, 50, random_seed=3).weights_PR, resample(study, 50, random_seed=4).weights_PR)
