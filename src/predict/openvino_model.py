"""A network as an OpenVINO model: made from PyTorch, kept in a folder with its card, and applied without PyTorch.

The folder holds ``model.xml`` and ``model.bin``, which every OpenVINO reads, and ``card.json``: the model's card, what it was
made from, and the digests of the two.
"""

import hashlib
import json
import math
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from src.errors import DiskError, ModelCardError
from src.exchange.whole_file import to_disk
from src.file_digest import file_digest
from src.machine_fault import writing
from src.model.card import ModelCard, card_from_json
from src.predict.openvino_library import import_openvino
from src.predict.sliding_window import SlidingWindow, Windows

if TYPE_CHECKING:  # PyTorch is only needed to convert
    import openvino
    from torch import nn

FORMAT_VERSION = 1
CARD_FILE = "card.json"
MODEL_FILES = ("model.xml", "model.bin")
# OpenVINO's names of ``src.model.precision.PRECISIONS``.
_PRECISION_HINTS = {
    "auto": {},
    "bfloat16": {"INFERENCE_PRECISION_HINT": "bf16"},
    "float32": {"INFERENCE_PRECISION_HINT": "f32"},
}


def convert(network: "nn.Module", patch_voxels: Sequence[int], batch: int = 1) -> "openvino.Model":
    """The same network as an OpenVINO model, in float32.

    Args:
        network: maps (B, 1, X, Y, Z) to logits (B, C, X, Y, Z); on the CPU; left as it is.
        patch_voxels: X, Y, Z of a window; the model takes no other size.
        batch: windows at once.

    Returns:
        Input ``image`` and output ``logits``, both float32.

    Raises:
        LibraryMissing: OpenVINO is not installed.
    """
    openvino = import_openvino()
    import torch

    shape, was_training = (batch, 1, *patch_voxels), network.training
    network.eval()
    with torch.no_grad(), warnings.catch_warnings():
        # What depends on the shape is fixed by tracing, and so is the shape.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        model = openvino.convert_model(network, example_input=torch.zeros(shape), input=list(shape))
    network.train(was_training)
    model.inputs[0].get_tensor().set_names({"image"})
    model.outputs[0].get_tensor().set_names({"logits"})
    return model


def write_optimised(folder: Path, model: "openvino.Model", card: ModelCard, *, source: Mapping) -> None:
    """Writes a model's folder, whole or not at all.

    Args:
        folder: must not be there.
        model: windows in, logits out, as ``convert`` makes it; of any precision.
        card: of the network that it was made from.
        source: what it was made from and how, in plain JSON types; says nothing of a patient.

    Raises:
        DiskError: something is there already, or the disk is full or refuses.
    """
    openvino = import_openvino()
    if folder.exists():
        raise DiskError(f"expected '{folder.name}' not to be there yet, found it; choose another folder, or delete it")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        with writing(folder):
            partial.mkdir(parents=True)
            openvino.save_model(model, str(partial / MODEL_FILES[0]), compress_to_fp16=False)
            digests = {name: file_digest(partial / name) for name in MODEL_FILES}
            content = {"format_version": FORMAT_VERSION, "card": card.to_json(), "source": dict(source), "sha256": digests}
            (partial / CARD_FILE).write_text(json.dumps(content, indent=1), encoding="utf-8")
            for name in (*MODEL_FILES, CARD_FILE):
                to_disk(partial / name)
            partial.rename(folder)
            to_disk(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@dataclass(frozen=True, kw_only=True)
class OptimisedModel:
    """An OpenVINO model that was read from its folder.

    Attributes:
        card: of the network that it was made from.
        source: what it was made from and how.
        engine: applies it.
        sha256: of weights and graph together.
    """

    card: ModelCard
    source: Mapping
    engine: "OpenVINOEngine"
    sha256: str


def read_optimised(folder: Path, *, overlap: float, precision: str = "auto") -> OptimisedModel:
    """Reads a model's folder and makes it ready for this processor.

    Args:
        folder: as ``write_optimised`` left it.
        overlap: see ``SlidingWindow``.
        precision: of ``src.model.precision.PRECISIONS``, for what is not computed with 8-bit integers; ``auto`` is bfloat16
            where the processor has it.

    Raises:
        ModelCardError: a file is missing, of another version, or not the one that was written.
        LibraryMissing: OpenVINO is not installed.
    """
    content = _read_content(folder)
    for name in MODEL_FILES:
        if not (folder / name).is_file() or file_digest(folder / name) != content["sha256"][name]:
            raise ModelCardError(
                f"expected {name} of '{folder.name}' as it was written, found it missing or changed; make the folder again "
                "with python -m src.predict optimise or export"
            )
    card = card_from_json(content["card"], folder.name)
    model = import_openvino().Core().read_model(str(folder / MODEL_FILES[0]))
    both = "".join(content["sha256"][name] for name in MODEL_FILES)
    return OptimisedModel(
        card=card,
        source=content["source"],
        engine=OpenVINOEngine(compile_for_cpu(model, precision), card, overlap=overlap),
        sha256=hashlib.sha256(both.encode()).hexdigest(),
    )


def is_optimised(path: Path) -> bool:
    """Whether a path is such a folder, or was meant as one."""
    return (path / CARD_FILE).is_file() and (path / MODEL_FILES[0]).is_file()


def _read_content(folder: Path) -> dict:
    try:
        content = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelCardError(f"expected an optimised model at '{folder.name}', found no {CARD_FILE} in it ({error})") from error
    if not isinstance(content, dict) or content.get("format_version") != FORMAT_VERSION:
        raise ModelCardError(
            f"expected format_version {FORMAT_VERSION} in {CARD_FILE} of '{folder.name}', found another one; make the folder "
            "again with this version"
        )
    if set(content) != {"format_version", "card", "source", "sha256"} or set(content["sha256"]) != set(MODEL_FILES):
        raise ModelCardError(f"expected card, source and sha256 in {CARD_FILE} of '{folder.name}', found {sorted(content)}")
    return content


def compile_for_cpu(model: "openvino.Model", precision: str = "auto") -> "openvino.CompiledModel":
    """Makes a model ready for this processor, all of its cores for one window at a time.

    Args:
        model: windows in, logits out.
        precision: see ``read_optimised``.
    """
    settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", **_PRECISION_HINTS[precision]}
    return import_openvino().Core().compile_model(model, "CPU", settings)


def scaled_hu(hu_XYZ: np.ndarray, window_hu: Sequence[float]) -> np.ndarray:
    """``src.data.preprocessing.scale_hu`` without PyTorch: HU clipped to the window and scaled to −1 … 1, float32."""
    low, high = window_hu
    image_XYZ = hu_XYZ.astype(np.float32)
    image_XYZ -= low
    image_XYZ *= 2.0 / (high - low)
    image_XYZ -= 1.0
    return np.clip(image_XYZ, -1.0, 1.0, out=image_XYZ)


class OpenVINOEngine:
    """Applies an OpenVINO model to whole CTs on the processor.

    Args:
        compiled: one window (1, 1, X, Y, Z) in, logits (1, C, X, Y, Z) out.
        card: of the network; its ``patch_voxels`` and ``window_hu`` are used.
        overlap: see ``SlidingWindow``.

    Attributes:
        precision: of what it computes in floats.
    """

    def __init__(self, compiled: "openvino.CompiledModel", card: ModelCard, *, overlap: float) -> None:
        self._windows = SlidingWindow(card.patch_voxels, overlap)
        self._window_hu = card.preprocessing["window_hu"]
        self.precision = str(compiled.get_property("INFERENCE_PRECISION_HINT").to_string())
        self._compiled = compiled

    def logits(self, hu_XYZ: np.ndarray) -> np.ndarray:
        """Logits float32 (C, X, Y, Z) of a CT (int16 HU) on the working grid."""
        logits_CXYZ = self._windows.blended(hu_XYZ, math.floor(self._window_hu[0]), self._outputs)
        # What comes after the network needs room of its own.
        self._compiled.release_memory()
        return logits_CXYZ

    def _outputs(self, windows: Windows) -> Iterator[np.ndarray]:
        request, output = self._compiled.create_infer_request(), self._compiled.outputs[0]
        # One is blended while the other is computed.
        computed, free = None, [import_openvino().Tensor(output.element_type, output.shape) for _ in range(2)]
        for window_XYZ in windows:
            if computed is not None:
                request.wait()
            request.get_input_tensor().data[0, 0] = scaled_hu(window_XYZ, self._window_hu)
            request.set_output_tensor(free[0])
            request.start_async()
            if computed is not None:
                yield computed.data[0]
            computed, free = free[0], free[::-1]
        request.wait()
        yield computed.data[0]
