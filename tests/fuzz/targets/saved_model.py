"""A saved model that somebody hands on, such as the weights to begin with. Parts: how it is made, the card, the bytes."""

import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from src.errors import ModelCardError
from src.model.card import ModelCard, read_model
from tests.fuzz.recipe import joined, parted
from tests.fuzz.refusals import check_sentence

_RAW, _WITH_CARD, _WITH_HEADER = b"\x00", b"\x01", b"\x02"
_CARD = ModelCard(
    anatomy="head_neck", structures=("Brainstem", "Parotid_L"), preprocessing={"spacing_mm": [1.0, 1.0, 2.0]},
    patch_voxels=(32, 32, 16), network={"name": "UNet", "arguments": {}}, structures_digest="d" * 64,
    validation_dice={"Brainstem": 0.5, "Parotid_L": None}, code_version="0.1.0",
)  # fmt: skip


def seeds() -> list[bytes]:
    """A card on good weights, a header with a tensor, and no file at all."""
    header = {"__metadata__": {"card_version": "1", "card": json.dumps(_CARD.to_json())}}
    header["weight"] = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    return [
        joined(_WITH_CARD, json.dumps(_CARD.to_json()).encode()),
        joined(_WITH_HEADER, json.dumps(header).encode(), np.arange(6, dtype=np.float32).tobytes()),
        joined(_RAW, b""),
    ]


def check(content: bytes) -> None:
    """A card and its tensors, or a sentence that says what is wrong."""
    path = Path(_folder().name) / "model.safetensors"
    path.write_bytes(_file(content))
    try:
        card, tensors = read_model(path)
    except ModelCardError as error:
        check_sentence(str(error))
        return
    card.architecture_hash()
    card.differences(card)
    assert all(isinstance(values, np.ndarray) for values in tensors.values()), "a tensor that is none"


def _file(content: bytes) -> bytes:
    how, *parts = [*parted(content), b"", b"", b""]
    if how[:1] == _RAW:
        return parts[0]
    header = parts[0]
    if how[:1] == _WITH_CARD:
        metadata = {"card_version": "1", "card": parts[0].decode("utf-8", "replace")}
        header = json.dumps({"__metadata__": metadata}).encode()
    return len(header).to_bytes(8, "little") + header + parts[1]


@cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="fuzz-model-")
