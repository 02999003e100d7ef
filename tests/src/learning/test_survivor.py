"""Which model goes on: the best on the structures that all candidates have a Dice for, and ours when nobody is better."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.evaluation.dice import StructureDice
from src.learning.survivor import Candidate, choose_survivor

NAMES = ("own", "peer", "average")


def candidates(names=NAMES):
    return [Candidate(name=name, tensors={}, rows_C=np.ones(2)) for name in names]


def dice(**means) -> dict[str, StructureDice]:
    return {
        name: StructureDice(mean=math.nan if mean is None else mean, num_scored=0 if mean is None else 2, num_absent=0)
        for name, mean in means.items()
    }


def chosen(**found) -> tuple[str, dict[str, float]]:
    best, means = choose_survivor(candidates(tuple(found)), lambda candidate: found[candidate.name])
    return best.name, means


@pytest.mark.parametrize(
    "own, peer, average, expected",
    [
        (0.8, 0.7, 0.6, "own"),
        (0.7, 0.8, 0.6, "peer"),
        (0.6, 0.7, 0.8, "average"),
        (0.7, 0.7, 0.7, "own"),
        (0.6, 0.7, 0.7, "peer"),
        (0.0, 0.0, 0.0, "own"),
    ],
)
def test_the_highest_mean_and_of_equals_the_first(own, peer, average, expected):
    best, means = chosen(own=dice(Liver=own), peer=dice(Liver=peer), average=dice(Liver=average))
    assert best == expected and means == {"own": own, "peer": peer, "average": average}


def test_only_structures_that_all_have_a_dice_for_are_compared():
    best, means = chosen(
        own=dice(Liver=0.7, Spleen=0.0), peer=dice(Liver=0.6, Spleen=None), average=dice(Liver=0.65, Spleen=0.9)
    )
    assert best == "own" and means == {"own": 0.7, "peer": 0.6, "average": 0.65}
    best, means = chosen(own=dice(Liver=0.7, Spleen=0.5), peer=dice(Liver=0.6, Spleen=0.7))
    assert best == "peer" and means == pytest.approx({"own": 0.6, "peer": 0.65})


@pytest.mark.parametrize("theirs", [dice(Liver=None), dice(Spleen=0.9), {}])
def test_with_nothing_to_compare_ours_goes_on(theirs):
    best, means = chosen(own=dice(Liver=0.1), peer=theirs)
    assert best == "own" and all(math.isnan(mean) for mean in means.values())


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_nobody_is_better_than_the_chosen_and_nobody_before_it_is_as_good(means):
    names = [str(place) for place in range(len(means))]
    best, _ = chosen(**{name: dice(Liver=mean) for name, mean in zip(names, means, strict=True)})
    place = names.index(best)
    assert means[place] == max(means) and all(mean < means[place] for mean in means[:place])
