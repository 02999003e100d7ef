"""One Dice per structure over all sites."""

import math
from itertools import permutations

import pytest

from src.evaluation.federation_dice import FederationDice, federation_dice

NAN = math.nan


def metrics(dice: dict[str, float], cases: dict[str, int]) -> dict[str, float]:
    sent = {"mean_dice": 0.123}
    for channel, name in enumerate(dice):
        sent |= {f"dice/{channel:02d}/{name}": dice[name], f"valid_cases/{channel:02d}/{name}": float(cases[name])}
    return sent


def test_each_case_counts_once_then_each_structure():
    found = federation_dice(
        {
            "a": metrics({"Liver": 0.9, "Spleen": 0.5}, {"Liver": 3, "Spleen": 1}),
            "b": metrics({"Liver": 0.5, "Spleen": NAN}, {"Liver": 1, "Spleen": 0}),
        }
    )
    assert found.by_structure == {"Liver": pytest.approx(0.8), "Spleen": pytest.approx(0.5)}
    assert found.mean == pytest.approx(0.65)


def test_a_structure_without_a_case_is_nan_and_in_no_mean():
    found = federation_dice({"a": metrics({"Liver": 0.9, "Spleen": NAN}, {"Liver": 3, "Spleen": 0})})
    assert found.mean == pytest.approx(0.9)
    assert math.isnan(found.by_structure["Spleen"])
    assert found.num_scored == 1


def test_nobody_has_a_case():
    found = federation_dice({"a": metrics({"Liver": NAN}, {"Liver": 0})})
    assert math.isnan(found.mean)
    assert not found.better_than(None)
    assert math.isnan(federation_dice({}).mean)


def test_the_order_of_sites_changes_no_bit():
    sent = {name: metrics({"Liver": 0.1 * index + 0.01}, {"Liver": index + 1}) for index, name in enumerate("abcd")}
    means = {federation_dice({name: sent[name] for name in order}).mean for order in permutations("abcd")}
    assert len(means) == 1


@pytest.mark.parametrize(
    "now, before, better",
    [
        (FederationDice(mean=0.6, by_structure={"L": 0.6}), None, True),
        (FederationDice(mean=0.6, by_structure={"L": 0.6}), FederationDice(mean=0.5, by_structure={"L": 0.5}), True),
        (FederationDice(mean=0.5, by_structure={"L": 0.5}), FederationDice(mean=0.5, by_structure={"L": 0.5}), False),
        # A refused site took its hard structure along: the mean rose, the model did not.
        (
            FederationDice(mean=0.9, by_structure={"L": 0.9, "P": NAN}),
            FederationDice(mean=0.7, by_structure={"L": 0.8, "P": 0.6}),
            False,
        ),
    ],
)
def test_better_than(now, before, better):
    assert now.better_than(before) is better
