"""What was trained: here, before, or by a peer; never what nobody touched."""

import json
from dataclasses import replace

import numpy as np
import pytest

from src.model.card import ModelCard
from src.model.trained_structures import INIT_CARD, TrainedStructures, note_initial_card

CARD = ModelCard(
    anatomy="head_neck",
    structures=("Parotid_L", "Parotid_R", "Brainstem"),
    preprocessing={},
    patch_voxels=(8, 8, 8),
    network={},
    structures_digest="0" * 64,
    trained_structures=("Parotid_R",),
    validation_dice={},
    code_version="test",
)
NAMES = ("Parotid_L", "Parotid_R", "Brainstem")


@pytest.fixture
def first():
    return {"head.weight": np.ones((3, 2, 1, 1, 1), np.float32), "head.bias": np.zeros(3, np.float32)}


def test_own_cases_count_and_untouched_rows_do_not(tmp_path, first):
    assert TrainedStructures(NAMES, [4, 0, 0], first, tmp_path).now(first) == ("Parotid_L",)


@pytest.mark.parametrize("tensor", ["head.weight", "head.bias"])
def test_a_row_that_moved_was_trained_by_a_peer(tmp_path, first, tensor):
    known = TrainedStructures(NAMES, [4, 0, 0], first, tmp_path)
    moved = {name: values.copy() for name, values in first.items()}
    moved[tensor][2] += 1e-6
    assert known.now(moved) == ("Parotid_L", "Brainstem")


def test_what_the_first_weights_were_trained_on_counts_only_for_those_weights(tmp_path, first):
    note_initial_card(tmp_path, CARD, first)
    assert TrainedStructures(NAMES, [0, 0, 1], first, tmp_path).now(first) == ("Parotid_R", "Brainstem")
    other = {**first, "head.bias": first["head.bias"] + 1}
    assert TrainedStructures(NAMES, [0, 0, 1], other, tmp_path).now(other) == ("Brainstem",)


def test_what_goes_to_every_site_tells_nothing_of_anybodys_cts(tmp_path, first):
    note_initial_card(tmp_path, replace(CARD, fingerprint={"training_cases": 7, "pixel_mm": {"50": 1.25}}), first)
    noted = json.loads((tmp_path / INIT_CARD).read_text())["card"]
    assert noted == CARD.to_json()
