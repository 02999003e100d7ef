"""The files a site leaves: the last model, and the one its own patients liked best."""

import math

import numpy as np
import pytest

from src.model.card import ModelCard, read_card, read_model
from src.model.kept_models import KeptModels


def card(round_number: int) -> ModelCard:
    return ModelCard(
        anatomy="liver",
        structures=("Liver",),
        preprocessing={"spacing_mm": [3, 3, 3]},
        patch_voxels=(16, 16, 16),
        network={"name": "UNet"},
        structures_digest="0",
        round=round_number,
        validation_dice={"Liver": None},
        code_version="0",
    )


def keep_all(folder, means, best_dice: float = -math.inf, first: int = 1) -> KeptModels:
    kept = KeptModels(folder, best_dice)
    for number, mean in enumerate(means, start=first):
        kept.keep(card(number), {"head.bias": np.full(2, number, np.float32)}, mean)
    return kept


def rounds_of(folder) -> tuple[int, int]:
    """The rounds that ``last`` and ``best`` are of; card and weights agree."""
    found = []
    for name in ("last", "best"):
        saved, tensors = read_model(folder / f"{name}.safetensors")
        assert tensors["head.bias"].tolist() == [saved.round] * 2
        found.append(saved.round)
    return tuple(found)


NAN = math.nan


@pytest.mark.parametrize(
    "means, best, best_dice",
    [
        ([0.0], 1, 0.0),
        ([0.3, 0.5, 0.4], 2, 0.5),
        ([0.5, 0.5], 1, 0.5),
        ([0.1, 0.2, 0.3], 3, 0.3),
        ([NAN, NAN, NAN], 3, -math.inf),
        ([NAN, 0.2, 0.1], 2, 0.2),
    ],
)
def test_last_is_the_last_and_best_the_best(tmp_path, means, best, best_dice):
    kept = keep_all(tmp_path / "site_a", means)
    assert rounds_of(tmp_path / "site_a") == (len(means), best) and kept.best_dice == best_dice
    assert sorted(path.name for path in (tmp_path / "site_a").iterdir()) == ["best.safetensors", "last.safetensors"]


def test_a_restarted_site_does_not_replace_a_better_one(tmp_path):
    first = keep_all(tmp_path, [0.3, 0.6])
    keep_all(tmp_path, [0.5], first.best_dice, first=3)
    assert rounds_of(tmp_path) == (3, 2)
    keep_all(tmp_path, [0.7], first.best_dice, first=4)
    assert rounds_of(tmp_path) == (4, 4)


def test_another_name_touches_neither(tmp_path):
    kept = keep_all(tmp_path, [0.3, 0.2])
    kept.write("consensus", card(9), {"head.bias": np.zeros(2, np.float32)})
    assert rounds_of(tmp_path) == (2, 1) and kept.best_dice == 0.3
    assert read_card(tmp_path / "consensus.safetensors").round == 9
