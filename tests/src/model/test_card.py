"""Saved models: what is written comes back, what does not belong is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from src.errors import ModelCardError
from src.model.card import ModelCard, read_card, read_model, write_model

CARD = ModelCard(
    anatomy="head_neck",
    structures=("Parotid_L", "Brainstem"),
    preprocessing={"spacing_mm": [4.0, 4.0, 3.0], "window_hu": [-200, 300], "body_margin_mm": 12},
    patch_voxels=(64, 64, 48),
    network={"name": "UNet", "features": 8, "arguments": {"channels": [8, 16]}},
    structures_digest="0" * 64,
    trained_structures=("Brainstem",),
    site="site_a",
    round=3,
    validation_dice={"Parotid_L": None, "Brainstem": 0.5},
    code_version="test",
)


def test_weights_and_card_round_trip(tmp_path):
    tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(3, np.float32)}
    write_model(tmp_path / "site_a" / "best.safetensors", CARD, tensors)
    card, found = read_model(tmp_path / "site_a" / "best.safetensors")
    assert card == CARD
    assert {name: array.tolist() for name, array in found.items()} == {name: array.tolist() for name, array in tensors.items()}
    assert [path.name for path in (tmp_path / "site_a").iterdir()] == ["best.safetensors"]


@pytest.mark.parametrize(
    "change",
    [
        {"structures": ("Brainstem", "Parotid_L")},
        {"anatomy": "liver"},
        {"patch_voxels": (32, 64, 48)},
        {"preprocessing": {**CARD.preprocessing, "window_hu": [-160, 240]}},
        {"network": {**CARD.network, "features": 16}},
        {"structures_digest": "1" * 64},
    ],
)
def test_what_makes_another_model_changes_the_hash_and_is_named(change):
    other = replace(CARD, **change)
    assert other.architecture_hash() != CARD.architecture_hash()
    (difference,) = CARD.differences(other)
    assert difference.startswith(next(iter(change)))


def test_a_difference_deep_in_the_settings_is_named_alone():
    other = replace(CARD, network={**CARD.network, "arguments": {"channels": [8, 32], "act": "relu"}})
    assert CARD.differences(other) == [
        "network.arguments.channels is [8, 32], expected [8, 16]",
        "network.arguments.act is relu, expected none",
    ]


def test_where_it_was_trained_does_not_make_another_model():
    fingerprint = {"training_cases": 5, "pixel_mm": {"5": 1.0, "50": 1.0, "95": 1.0}}
    facts = {"trained_structures": (), "validation_dice": {}, "federation": "x", "fingerprint": fingerprint}
    other = replace(CARD, site="site_b", round=9, **facts)
    assert other.architecture_hash() == CARD.architecture_hash()
    assert CARD.differences(other) == []


def test_a_fingerprint_comes_back_and_a_card_from_before_there_were_any_still_loads(tmp_path):
    told = replace(CARD, fingerprint={"training_cases": "<5", "pixel_mm": None})
    write_model(tmp_path / "told.safetensors", told, {"a": np.zeros(1)})
    assert read_card(tmp_path / "told.safetensors") == told
    content = CARD.to_json()
    del content["fingerprint"]
    save_file({"a": np.zeros(1)}, tmp_path / "old.safetensors", {"card_version": "1", "card": json.dumps(content)})
    assert read_card(tmp_path / "old.safetensors") == CARD


def test_files_that_are_no_model_are_refused(tmp_path):
    with pytest.raises(ModelCardError, match="missing"):
        read_card(tmp_path / "missing.safetensors")
    (tmp_path / "text.safetensors").write_text("not a model")
    with pytest.raises(ModelCardError, match="text"):
        read_card(tmp_path / "text.safetensors")
    save_file({"a": np.zeros(1)}, tmp_path / "bare.safetensors")
    with pytest.raises(ModelCardError, match="card version None"):
        read_card(tmp_path / "bare.safetensors")
    content = CARD.to_json()
    del content["structures"]
    save_file({"a": np.zeros(1)}, tmp_path / "short.safetensors", {"card_version": "1", "card": json.dumps(content)})
    with pytest.raises(ModelCardError, match="structures"):
        read_card(tmp_path / "short.safetensors")


UNFIT = [None, 7, "x", [], "text" * 100, {"name": []}, True]


@pytest.mark.parametrize("name", sorted(CARD.to_json()))
def test_a_card_that_somebody_else_wrote_is_a_card_or_refused(tmp_path, name):
    path, taken = tmp_path / "model.safetensors", []
    for value in UNFIT:
        header = {"card_version": "1", "card": json.dumps({**CARD.to_json(), name: value})}
        save_file({"a": np.zeros(1, np.float32)}, str(path), metadata=header)
        try:
            assert isinstance(read_model(path)[0], ModelCard)
            taken.append(value)
        except ModelCardError as refused:
            assert str(refused).isprintable() and len(str(refused)) < 1000
    assert len(taken) <= 3, "hardly anything of these is a value of any field"


@pytest.mark.parametrize("card", [None, "{", "[]", "7", '{"site": "a"}', "[" * 100_000], ids=lambda card: str(card)[:5])
def test_what_is_no_card_is_refused(tmp_path, card):
    header = {"card_version": "1"} if card is None else {"card_version": "1", "card": card}
    save_file({"a": np.zeros(1, np.float32)}, str(tmp_path / "model.safetensors"), metadata=header)
    with pytest.raises(ModelCardError, match="card of"):
        read_card(tmp_path / "model.safetensors")
