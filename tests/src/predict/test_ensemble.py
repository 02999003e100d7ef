"""One model alone is left as it is; several are the mean of their probabilities, in any order."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit

from src.errors import CaseError
from src.predict.choice import choose_all
from src.predict.ensemble import structure_logits
from tests.conftest import SPHERE_STRUCTURES
from tests.src.predict.small_models import fixed_model

HU = np.zeros((2, 3, 2), np.int16)
fields = arrays(np.float32, (3, 2, 3, 2), elements=st.floats(-30, 30, width=32))


def drawn(models) -> dict[str, np.ndarray]:
    return structure_logits("patient_1", choose_all(models, []).drawn, HU)


@settings(max_examples=40, deadline=None)
@given(fields)
def test_an_ensemble_of_one_is_the_model(logits_CXYZ):
    logits = drawn([fixed_model("a", logits_CXYZ)])
    assert list(logits) == SPHERE_STRUCTURES
    assert all(np.array_equal(logits[name], logits_CXYZ[channel]) for channel, name in enumerate(SPHERE_STRUCTURES))


@settings(max_examples=40, deadline=None)
@given(st.lists(fields, min_size=2, max_size=4))
def test_several_are_the_mean_of_their_probabilities_in_any_order(each_CXYZ):
    models = [fixed_model(f"model_{number}", logits) for number, logits in enumerate(each_CXYZ)]
    logits = drawn(models)
    mean_CXYZ = np.mean([expit(one.astype(float)) for one in each_CXYZ], axis=0)
    for channel, name in enumerate(SPHERE_STRUCTURES):
        assert logits[name] == pytest.approx(np.clip(np.log(mean_CXYZ / (1 - mean_CXYZ)), -10, 10)[channel], abs=5e-3)
        clear = np.abs(mean_CXYZ[channel] - 0.5) > 1e-6
        assert np.array_equal((logits[name] > 0)[clear], (mean_CXYZ[channel] > 0.5)[clear])
    for order in permutations(models):
        assert all(np.array_equal(logits[name], other) for name, other in drawn(order).items())


def test_only_models_that_were_trained_for_a_structure_count_in_its_mean():
    left, right, stem = SPHERE_STRUCTURES
    everything = fixed_model("a", np.full((3, 2, 3, 2), -2.0))
    one = fixed_model("b", np.full((3, 2, 3, 2), 5.0), trained_structures=(left,))
    logits = drawn([everything, one])
    assert (logits[right] == -2).all() and (logits[stem] == -2).all()
    assert (logits[left] > 0).all()  # (expit(-2) + expit(5)) / 2 = 0.556


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(wrong):
    with pytest.raises(CaseError, match=r"patient_1.*no numbers"):
        drawn([fixed_model("a", np.full((3, 2, 3, 2), wrong))])
