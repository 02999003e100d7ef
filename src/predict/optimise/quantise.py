"""8-bit integers instead of floats, by NNCF, wherever the Dice on validation cases allows it."""

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src.errors import AccuracyLost
from src.evaluation.dice import StructureDice, macro_mean
from src.model.card import ModelCard
from src.predict.openvino_library import import_nncf
from src.predict.openvino_model import OpenVINOEngine, compile_for_cpu
from src.predict.optimise.validation_cases import ValidationCase, case_dice, dice_of

if TYPE_CHECKING:
    import openvino


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """What came of it.

    Attributes:
        model: with 8-bit integers where that is allowed.
        before: validation Dice of the float32 model.
        after: validation Dice of ``model`` as this processor computes it.
    """

    model: "openvino.Model"
    before: dict[str, StructureDice]
    after: dict[str, StructureDice]

    @property
    def loss(self) -> float:
        """By how much the mean over structures fell; below 0 where it rose."""
        return macro_mean(self.before) - macro_mean(self.after)


def quantise(
    model: "openvino.Model",
    card: ModelCard,
    windows: Sequence[np.ndarray],
    cases: Sequence[ValidationCase],
    *,
    overlap: float,
    largest_loss: float,
) -> Quantised:
    """Post-training quantisation that gives layers back to float32 until the mean Dice falls by no more than it may.

    Args:
        model: float32, as ``convert`` makes it; left as it is.
        card: of the network.
        windows: (1, 1, X, Y, Z) each, to learn ranges from.
        cases: what decides.
        overlap: of the sliding windows.
        largest_loss: of the mean over structures of the validation Dice.

    Raises:
        AccuracyLost: it falls by more whatever is given back.
        LibraryMissing: NNCF is not installed.

    Source: NNCF, nncf.quantize_with_accuracy_control.
    """
    nncf = import_nncf()
    # Its own set_log_level turns down every handler of the process, ours too.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    structures = card.structures

    def validate(compiled: "openvino.CompiledModel", chosen: Iterable[ValidationCase]) -> tuple[float, list[float]]:
        engine = OpenVINOEngine(compiled, card, overlap=overlap)
        dice = [_mean(case_dice(engine, case, structures)) for case in chosen]
        return math.fsum(dice) / len(dice), dice

    quantised = nncf.quantize_with_accuracy_control(
        model,
        calibration_dataset=nncf.Dataset(windows),
        validation_dataset=nncf.Dataset(cases),
        validation_fn=validate,
        max_drop=largest_loss,
        drop_type=nncf.DropType.ABSOLUTE,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(windows),
    )
    before, after = (
        dice_of(OpenVINOEngine(compile_for_cpu(one, precision), card, overlap=overlap), cases, structures)
        for one, precision in ((model, "float32"), (quantised, "auto"))
    )
    result = Quantised(model=quantised, before=before, after=after)
    if not result.loss <= largest_loss:
        raise AccuracyLost(
            f"expected 8-bit integers to lose at most {largest_loss:g} of the mean validation Dice, found "
            f"{macro_mean(before):.4f} before and {macro_mean(after):.4f} after; nothing is written: allow more with "
            "--largest-loss, give more --calibration-windows, or predict with the .safetensors file"
        )
    return result


def _mean(dice: dict[str, float]) -> float:
    """Of one case; a structure that is rightly absent is no loss."""
    values = [1.0 if math.isnan(value) else value for value in dice.values()]
    return math.fsum(values) / len(values)
