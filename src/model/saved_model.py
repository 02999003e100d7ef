"""A model as a run left it, ready to predict: the one place where a saved network is loaded."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from src.data.preprocessing import Preprocessing
from src.file_digest import file_digest
from src.model.card import ModelCard, read_model
from src.model.inference import Predictor
from src.model.network import build_network
from src.model.precision import choose_precision
from src.model.state import load_network_state, state_digest


@dataclass(frozen=True, kw_only=True, eq=False)
class SavedModel:
    """A network with its card.

    Attributes:
        card: what it was made for and trained on.
        predictor: applies the network.
        sha256: of the file.
        weights_digest: of the tensors alone, whoever's card they have.
    """

    card: ModelCard
    predictor: Predictor
    sha256: str
    weights_digest: str

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """Of the working grid."""
        return Preprocessing.from_json(self.card.preprocessing)

    @property
    def predicts(self) -> str:
        """What is the same for two models that draw the same masks of the same structures."""
        return f"{self.weights_digest} {self.card.architecture_hash()} {' '.join(self.card.trained_structures)}"


def load_saved_model(path: Path, *, overlap: float, precision: str) -> SavedModel:
    """Reads a model and makes it ready, on the GPU where there is one.

    Args:
        path: the file.
        overlap: of the sliding windows, 0 to below 1.
        precision: of ``PRECISIONS``.

    Raises:
        ModelCardError: the file cannot be read, or its weights are not of its card's network.
    """
    card, tensors = read_model(path)
    network = build_network(card.network, len(card.structures))
    load_network_state(network, tensors, origin=f"'{path.name}'")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    predictor = Predictor(
        network.to(device),
        patch_voxels=card.patch_voxels,
        window_hu=card.preprocessing["window_hu"],
        overlap=overlap,
        precision=choose_precision(precision, device),
        device=device,
    )
    return SavedModel(card=card, predictor=predictor, sha256=file_digest(path), weights_digest=state_digest(tensors))
