"""A saved model on a patient who is scored: which of its channels count there, and their masks."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np

from experiments.scoring.patient_scan import PatientScan
from src.data.structures import load_structures
from src.errors import ModelCardError
from src.model.card import ModelCard
from src.model.saved_model import SavedModel, load_saved_model


def scored_channels(card: ModelCard, contoured: Collection[str]) -> list[int]:
    """The channels, in their order, that were trained and whose structure is contoured; there may be none."""
    names = enumerate(card.structures)
    return [channel for channel, name in names if name in contoured and name in card.trained_structures]


def scored_masks(model: SavedModel, scan: PatientScan) -> Iterator[tuple[int, np.ndarray]]:
    """Channel and mask, bool (x, y, z) on the CT's own grid, of every structure that was trained and is contoured."""
    if channels := scored_channels(model.card, scan.contoured):
        hu_XYZ, grid = scan.on_working_grid(model.preprocessing)
        yield from model.predictor.masks(hu_XYZ, grid, scan.native, channels)


def load_scored_model(path: Path, anatomy: str, settings: Mapping) -> SavedModel:
    """Reads a model and checks that it may be scored.

    Args:
        path: the file.
        anatomy: of the patients it is for.
        settings: ``overlap`` and ``precision`` as in a plan's task runner.

    Raises:
        ModelCardError: the file cannot be read, or was made for another anatomy or with another table of structures.
    """
    model = load_saved_model(path, overlap=settings["overlap"], precision=settings["precision"])
    _check_fit(f"{path.parent.name}/{path.name}", model.card, anatomy)
    return model


def _check_fit(name: str, card: ModelCard, anatomy: str) -> None:
    if card.anatomy != anatomy:
        raise ModelCardError(f"'{name}' was made for {card.anatomy}, found a dataset of {anatomy}; give the run's own data")
    if card.structures_digest != load_structures().digest:
        raise ModelCardError(f"'{name}' was trained with another plan/structures.yaml; score it with the version that made it")
