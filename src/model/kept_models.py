"""The model files a site leaves behind: the last one, and the one its own validation patients liked best."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from src.model.card import ModelCard, write_model


class KeptModels:
    """Writes ``<folder>/last.safetensors`` and ``<folder>/best.safetensors``.

    Args:
        folder: the site's own.
        best_dice: mean validation Dice of what ``best`` holds already; minus infinity when there is none.
    """

    def __init__(self, folder: Path, best_dice: float = -math.inf) -> None:
        self.folder, self.best_dice = folder, best_dice

    def keep(self, card: ModelCard, tensors: Mapping[str, np.ndarray], mean_dice: float) -> None:
        """Writes ``last``, and ``best`` when the site's own mean Dice says so, or when it has nothing to say (NaN)."""
        self.write("last", card, tensors)
        if math.isnan(mean_dice) or mean_dice > self.best_dice:
            self.best_dice = self.best_dice if math.isnan(mean_dice) else mean_dice
            self.write("best", card, tensors)

    def write(self, name: str, card: ModelCard, tensors: Mapping[str, np.ndarray]) -> None:
        """Writes one model under a name of its own."""
        write_model(self.folder / f"{name}.safetensors", card, tensors)
