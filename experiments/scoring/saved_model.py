"""A model as a run left it, ready to predict: the one place where scoring loads weights and applies them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from experiments.scoring.digests import file_digest
from experiments.scoring.patient_scan import PatientScan
from src.data.preprocessing import Preprocessing
from src.data.structures import load_structures
from src.errors import ModelCardError
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
        settings = self.card.preprocessing
        return Preprocessing(**{name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()})

    @property
    def predicts(self) -> str:
        """What is the same for two models that draw the same masks of the same structures."""
        return f"{self.weights_digest} {self.card.architecture_hash()} {' '.join(self.card.trained_structures)}"

    def scored_channels(self, contoured: Collection[str]) -> list[int]:
        """The channels, in their order, that were trained and whose structure is contoured; there may be none."""
        names = enumerate(self.card.structures)
        return [channel for channel, name in names if name in contoured and name in self.card.trained_structures]

    def masks(self, scan: PatientScan) -> Iterator[tuple[int, np.ndarray]]:
        """Channel and mask, bool (x, y, z) on the CT's own grid, of every structure that was trained and is contoured."""
        if channels := self.scored_channels(scan.contoured):
            hu_XYZ, grid = scan.on_working_grid(self.preprocessing)
            yield from self.predictor.masks(hu_XYZ, grid, scan.native, channels)


def load_saved_model(path: Path, anatomy: str, settings: Mapping) -> SavedModel:
    """Reads a model and checks that it may be scored.

    Args:
        path: the file.
        anatomy: of the patients it is for.
        settings: ``overlap`` and ``precision`` as in a plan's task runner.

    Raises:
        ModelCardError: the file cannot be read, or was made for another anatomy or with another table of structures.
    """
    card, tensors = read_model(path)
    _check_fit(f"{path.parent.name}/{path.name}", card, anatomy)
    network = build_network(card.network, len(card.structures))
    load_network_state(network, tensors, origin=f"'{path.name}'")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    predictor = Predictor(
        network.to(device),
        patch_voxels=card.patch_voxels,
        window_hu=card.preprocessing["window_hu"],
        overlap=settings["overlap"],
        precision=choose_precision(settings["precision"], device),
        device=device,
    )
    return SavedModel(card=card, predictor=predictor, sha256=file_digest(path), weights_digest=state_digest(tensors))


def _check_fit(name: str, card: ModelCard, anatomy: str) -> None:
    if card.anatomy != anatomy:
        raise ModelCardError(f"'{name}' was made for {card.anatomy}, found a dataset of {anatomy}; give the run's own data")
    if card.structures_digest != load_structures().digest:
        raise ModelCardError(f"'{name}' was trained with another plan/structures.yaml; score it with the version that made it")
