"""What applies a network to a CT, whatever library computes it."""

from typing import Protocol

import numpy as np


class Engine(Protocol):
    """Applies a network; ``src.model.inference.Predictor`` is one."""

    def logits(self, hu_XYZ: np.ndarray) -> np.ndarray:
        """Logits float32 (C, X, Y, Z) of a CT (int16 HU, X, Y, Z) on the working grid, a channel per structure of the card."""
        ...
