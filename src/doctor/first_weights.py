"""Reads the weights a run begins with, as the run does, and writes nothing."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from src.exchange.initial_model import load_initial_model

if TYPE_CHECKING:
    from src.task_runner import SegmentationTaskRunner


def digest_of(path: Path, runner: "SegmentationTaskRunner") -> str:
    """The digest that all sites of the run must have in common; the runner holds the weights then.

    Raises:
        ModelCardError: as ``load_initial_model``.
    """
    if path.suffix != ".safetensors":
        return load_initial_model(path, runner)
    # A saved model's card is noted in the folder of the saved models; the doctor leaves no trace there.
    kept = runner.save_path
    with TemporaryDirectory() as folder:
        runner.save_path = Path(folder)
        try:
            return load_initial_model(path, runner)
        finally:
            runner.save_path = kept
