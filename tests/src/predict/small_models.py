"""Saved models of a few hundred weights that nobody trained, and opened ones whose logits are written down."""

from pathlib import Path

import numpy as np
import torch

from src.data.structures import load_structures
from src.model.card import ModelCard, write_model
from src.model.network import build_network
from src.model.state import network_state
from src.predict.open_model import OpenedModel
from tests.conftest import SPHERE_STRUCTURES

NETWORK = {
    "name": "UNet",
    "features": 2,
    "arguments": {"channels": [2, 4], "strides": [2], "num_res_units": 1, "norm": ["instance", {"affine": True}]},
}


def small_card(**changes) -> ModelCard:
    """Of the structures of the sphere dataset."""
    facts = {
        "anatomy": "head_neck",
        "structures": tuple(SPHERE_STRUCTURES),
        "preprocessing": {"spacing_mm": [4.0, 4.0, 5.0], "window_hu": [-200, 300], "body_margin_mm": 4},
        "patch_voxels": (32, 32, 16),
        "network": NETWORK,
        "structures_digest": load_structures().digest,
        "trained_structures": tuple(SPHERE_STRUCTURES),
        "validation_dice": {},
        "code_version": "test",
    }
    return ModelCard(**facts | changes)


def write_small_model(path: Path, draw: int = 0, bias: float = -0.3, **changes) -> Path:
    """A model whose weights come from the number ``draw``; a bias of -100 draws nothing, one of 0 half of the voxels."""
    torch.manual_seed(draw)
    card = small_card(**changes)
    network = build_network(card.network, len(card.structures))
    torch.nn.init.constant_(network.head.bias, bias)
    write_model(path, card, network_state(network))
    return path


class FixedLogits:
    """An engine that computes what it was told."""

    def __init__(self, logits_CXYZ: np.ndarray) -> None:
        self.logits_CXYZ = np.asarray(logits_CXYZ, np.float32)

    def logits(self, hu_XYZ: np.ndarray) -> np.ndarray:
        return self.logits_CXYZ


def fixed_model(name: str, logits_CXYZ: np.ndarray, **changes) -> OpenedModel:
    """A model that always has these logits; its name is its digest."""
    card = small_card(**changes)
    return OpenedModel(name=name, card=card, engine=FixedLogits(logits_CXYZ), computes="nothing", sha256=name)
