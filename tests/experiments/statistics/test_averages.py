"""Both means by hand; what is missing is in neither."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from experiments.statistics.averages import WEIGHTINGS, cells_of

NAN = math.nan
# Site 0: three patients and two structures, one not contoured for the last two. Site 1: one patient.
VALUES_PK = np.array([[0.6, 0.9], [0.7, NAN], [0.8, NAN], [0.5, 0.3]])
SITE_P = np.array([0, 0, 0, 1])


def test_macro_by_hand():
    # Site 0: (0.7 + 0.9) / 2 = 0.8; site 1: 0.4.
    assert cells_of(VALUES_PK, SITE_P, "macro").mean == pytest.approx(0.6)


def test_patient_weighted_by_hand():
    # (0.75 + 0.7 + 0.8 + 0.4) / 4
    assert cells_of(VALUES_PK, SITE_P, "patient").mean == pytest.approx(0.6625)


def test_a_structure_that_a_site_never_drew_leaves_its_other_structures():
    values_PK = np.array([[0.6, NAN], [0.2, 0.4]])
    # Site 0: 0.6; site 1: 0.3.
    assert cells_of(values_PK, np.array([0, 1]), "macro").mean == pytest.approx(0.45)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_site_or_patient_without_any_number_has_no_say(weighting):
    values_PK = np.vstack([VALUES_PK, np.full((2, 2), NAN)])
    found = cells_of(values_PK, np.array([0, 0, 0, 1, 1, 2]), weighting)
    assert found.mean == pytest.approx(cells_of(VALUES_PK, SITE_P, weighting).mean)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_no_number_has_no_mean(weighting):
    assert math.isnan(cells_of(np.full((2, 3), NAN), np.array([0, 1]), weighting).mean)


def test_the_share_of_lone_patients():
    # Macro: site 0's second structure is a quarter, site 1 a half; patient-weighted: site 1 is one patient of four.
    assert cells_of(VALUES_PK, SITE_P, "macro").lone_share == pytest.approx(0.75)
    assert cells_of(VALUES_PK, SITE_P, "patient").lone_share == pytest.approx(0.25)


@given(
    arrays(float, (6, 3), elements=st.one_of(st.just(NAN), st.floats(0, 1))),
    st.sampled_from(WEIGHTINGS),
    st.floats(-1, 1),
)
def test_shares_sum_to_one_and_the_mean_moves_with_the_values(values_PK, weighting, constant):
    site_P = np.array([0, 0, 1, 1, 1, 2])
    cells = cells_of(values_PK, site_P, weighting)
    if np.isnan(values_PK).all():
        assert cells.share_JK.sum() == 0
        return
    assert cells.share_JK.sum() == pytest.approx(1)
    assert np.nanmin(values_PK) - 1e-12 <= cells.mean <= np.nanmax(values_PK) + 1e-12
    assert cells_of(values_PK + constant, site_P, weighting).mean == pytest.approx(cells.mean + constant)
