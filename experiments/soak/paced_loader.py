"""The phantoms' loader in the pace of larger networks: each round takes some seconds more, without costing the processor.

A soak wants rounds as long as a hospital's on a machine that trains six sites at once. It is copied into the workspaces, as an
extension of their own that the plan names; nothing of the exchange knows of it.
"""

import os
import time
from collections.abc import Iterator

import torch

from src.dataloader import LiverCTLoader

# A process that is stopped three quarters of the time then takes four times as long to pass its pause.
_STEP_S = 0.02


class PacedLoader(LiverCTLoader):
    """See ``LiverCTLoader``; waits ``SOAK_PAUSE_S`` seconds before the first batch of each round, 0 when that is not set."""

    def training_batches(self, round_number: int, num_steps: int) -> Iterator[dict[str, torch.Tensor]]:
        """See ``CTLoader``."""
        for _ in range(round(float(os.environ.get("SOAK_PAUSE_S", "0")) / _STEP_S)):
            time.sleep(_STEP_S)
        yield from super().training_batches(round_number, num_steps)
