"""A model for prediction, from whatever it was saved as."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from src.data.preprocessing import Preprocessing
from src.data.structures import load_structures
from src.errors import ModelCardError
from src.model.card import ModelCard
from src.predict.engine import Engine
from src.predict.openvino_model import is_optimised, read_optimised

SAVED = ".safetensors"


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenedModel:
    """A model, ready to predict.

    Attributes:
        name: of its file, with the folder that it lies in.
        card: what it was made for and trained on.
        engine: applies it.
        computes: what the engine computes with, such as ``PyTorch bfloat16 on cpu``.
        sha256: of its file, in hex.
    """

    name: str
    card: ModelCard
    engine: Engine
    computes: str
    sha256: str

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """Of the working grid."""
        return Preprocessing.from_json(self.card.preprocessing)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of it."""
        if self.card.structures_digest == load_structures().digest:
            return ()
        return (f"{self.name} was trained with another version of plan/structures.yaml: do its names still mean the same?",)


def open_model(path: Path, *, overlap: float, precision: str) -> OpenedModel:
    """Opens a saved model.

    Args:
        path: a ``.safetensors`` file that training saved, or the folder of an OpenVINO model.
        overlap: of the sliding windows, 0 to below 1.
        precision: of ``src.model.precision.PRECISIONS``.

    Raises:
        ModelCardError: it is none, or cannot be read.
        StructureError: it draws what is not in the table of structures.
        LibraryMissing: it is an OpenVINO model, and OpenVINO is not installed.
    """
    name = f"{path.resolve().parent.name}/{path.name}"
    if is_optimised(path):
        return _checked(_open_optimised(name, path, overlap, precision))
    if path.is_dir():
        there = sorted(entry.name for entry in path.glob(f"*{SAVED}"))
        hint = f"give one of {', '.join(there)} in it" if there else "give the file that training saved"
        raise ModelCardError(f"expected a model at --model, found the folder '{path.name}'; {hint}")
    return _checked(_open_saved(name, path, overlap, precision))


def _checked(model: OpenedModel) -> OpenedModel:
    for structure in model.card.structures:
        load_structures()[structure]
    return model


def _open_saved(name: str, path: Path, overlap: float, precision: str) -> OpenedModel:
    # PyTorch and MONAI take seconds, which an OpenVINO model need not wait for.
    from src.model.saved_model import load_saved_model

    saved = load_saved_model(path, overlap=overlap, precision=precision)
    predictor = saved.predictor
    computes = f"PyTorch {str(predictor.precision).removeprefix('torch.')} on {predictor.device.type}"
    return OpenedModel(name=name, card=saved.card, engine=predictor, computes=computes, sha256=saved.sha256)


def _open_optimised(name: str, path: Path, overlap: float, precision: str) -> OpenedModel:
    read = read_optimised(path, overlap=overlap, precision=precision)
    return OpenedModel(
        name=name, card=read.card, engine=read.engine, computes=f"OpenVINO {read.engine.precision} on cpu", sha256=read.sha256
    )
