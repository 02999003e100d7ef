"""Every structure by all models that were trained for it; what cannot be averaged is refused."""

import numpy as np
import pytest

from src.errors import ModelCardError
from src.predict.choice import choose_all
from tests.conftest import SPHERE_STRUCTURES
from tests.src.predict.small_models import fixed_model, small_card

LOGITS = np.zeros((3, 1, 1, 1))
LEFT, RIGHT, STEM = SPHERE_STRUCTURES


def test_what_nobody_trained_is_never_drawn():
    choice = choose_all([fixed_model("a", LOGITS, trained_structures=(LEFT, STEM))], [])
    assert [one.structure for one in choice.drawn] == [LEFT, STEM]
    assert choice.not_drawn == {RIGHT: "no model was trained for it"}


def test_only_what_is_wanted_is_drawn_and_the_rest_is_told():
    choice = choose_all([fixed_model("a", LOGITS), fixed_model("b", LOGITS)], [STEM])
    (one,) = choice.drawn
    assert one.structure == STEM and len(one.models) == 2
    assert choice.not_drawn == {LEFT: "not asked for", RIGHT: "not asked for"}


@pytest.mark.parametrize(
    ("models", "wanted", "what"),
    [
        ([fixed_model("a", LOGITS), fixed_model("a", LOGITS)], [], "twice"),
        ([fixed_model("a", LOGITS), fixed_model("b", LOGITS, anatomy="liver")], [], "one anatomy"),
        (
            [
                fixed_model("a", LOGITS),
                fixed_model("b", LOGITS, preprocessing={**small_card().preprocessing, "body_margin_mm": 5}),
            ],
            [],
            "one preprocessing",
        ),
        ([fixed_model("a", LOGITS)], ["Larynx"], "found 'Larynx'; there are Parotid_L, Parotid_R, Brainstem"),
        ([fixed_model("a", LOGITS, trained_structures=())], [], "trained for a structure"),
    ],
)
def test_what_cannot_be_drawn_is_refused(models, wanted, what):
    with pytest.raises(ModelCardError, match=what):
        choose_all(models, wanted)
