"""A tiny saved model that draws something on the spheres of ``tests.conftest``, whatever it is."""

from pathlib import Path

import numpy as np
import torch

from src.data.structures import load_structures
from src.model.card import ModelCard, write_model
from src.model.network import build_network
from src.model.state import network_state

CARD = ModelCard(
    anatomy="head_neck",
    structures=("Parotid_L", "Parotid_R", "Brainstem"),
    preprocessing={"spacing_mm": [4.0, 4.0, 4.0], "window_hu": [-200, 300], "body_margin_mm": 8},
    patch_voxels=(16, 16, 16),
    network={
        "name": "UNet",
        "features": 4,
        "arguments": {"channels": [4, 8], "strides": [2], "num_res_units": 1, "norm": ["instance", {"affine": True}]},
    },
    structures_digest=load_structures().digest,
    trained_structures=("Parotid_L", "Brainstem"),
    site="site_a",
    round=3,
    validation_dice={"Parotid_L": 0.5, "Parotid_R": None, "Brainstem": None},
    code_version="openfl-oar 0.1.0",
)


def write_small_model(path: Path, *, bias: float = 0.0) -> Path:
    """Random weights; with a ``bias`` far below 0 it draws nothing."""
    torch.manual_seed(0)
    network = build_network(CARD.network, len(CARD.structures))
    tensors = {name: np.array(values) for name, values in network_state(network).items()}
    tensors["head.bias"][:] = bias
    write_model(path, CARD, tensors)
    return path
