"""``python -m src.predict optimise``: makes a saved model faster on a processor, and checks on validation cases that it still
draws as well.

Writes a folder that ``python -m src.predict --model`` takes in place of the file. Most of its layers compute with 8-bit
integers; those that the Dice needs in floats stay so. The dataset's training CTs give the ranges of the numbers, its validation
cases decide; test cases are never opened.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from src.data.cache import CaseCache
from src.data.dataset import Dataset
from src.data.preprocessing import Preprocessing
from src.errors import DatasetError, DiskError, PlanSettingError
from src.evaluation.dice import macro_mean
from src.file_digest import file_digest
from src.model.card import ModelCard, read_model
from src.predict.openvino_library import import_nncf
from src.predict.openvino_model import convert, write_optimised
from src.predict.optimise.calibration import calibration_windows
from src.predict.optimise.quantise import Quantised, quantise
from src.predict.optimise.validation_cases import prepare_validation


def main(arguments: Sequence[str] | None = None) -> int:
    """Optimises a model; returns 0.

    Raises:
        OarError: something was refused, and nothing was written.
    """
    given = _parser().parse_args(arguments)
    import_nncf()
    _check(given)
    console = Console(highlight=False)
    card, tensors = read_model(given.model)
    dataset = Dataset.open(given.data)
    if dataset.anatomy != card.anatomy:
        raise DatasetError(f"expected a dataset of {card.anatomy}, as the model is, found one of {dataset.anatomy}")
    with tempfile.TemporaryDirectory(prefix="optimise-") as folder:
        result = _quantise(
            given,
            card,
            tensors,
            dataset,
            CaseCache(given.cache or Path(folder), Preprocessing.from_json(card.preprocessing), card.structures),
        )
    write_optimised(given.output, result.model, card, source=_source(given, dataset, result))
    _report(console, given.output, result)
    return 0


def _quantise(given: argparse.Namespace, card: ModelCard, tensors: dict, dataset: Dataset, cache: CaseCache) -> Quantised:
    cache.folder.mkdir(parents=True, exist_ok=True)
    cases = prepare_validation(dataset, card, cache)
    records = dataset.cases_of("train")[: given.calibration_windows]
    if not records:
        raise DatasetError(f"expected training cases in the dataset of {dataset.site}, found none; use another dataset")
    training = [cache.prepare(dataset, record) for record in records]
    windows = list(calibration_windows(training, card, overlap=given.overlap, num_windows=given.calibration_windows))
    model = convert(_network(card, tensors, given.model.name), card.patch_voxels)
    return quantise(model, card, windows, cases, overlap=given.overlap, largest_loss=given.largest_loss)


def _network(card: ModelCard, tensors: dict, origin: str):
    from src.model.network import build_network
    from src.model.state import load_network_state

    network = build_network(card.network, len(card.structures))
    load_network_state(network, tensors, origin=f"'{origin}'")
    return network


def _source(given: argparse.Namespace, dataset: Dataset, result: Quantised) -> dict:
    return {
        "made_by": "optimise",
        "model_sha256": file_digest(given.model),
        "site": dataset.site,
        "calibration_windows": given.calibration_windows,
        "overlap": given.overlap,
        "largest_loss": given.largest_loss,
        "validation_dice_before": {name: entry.mean for name, entry in result.before.items() if entry.num_scored},
        "validation_dice_after": {name: entry.mean for name, entry in result.after.items() if entry.num_scored},
    }


def _report(console: Console, folder: Path, result: Quantised) -> None:
    for name, before in result.before.items():
        if before.num_scored:
            console.print(f"{name}: validation Dice {before.mean:.4f} before, {result.after[name].mean:.4f} after")
    console.print(f"mean: {macro_mean(result.before):.4f} before, {macro_mean(result.after):.4f} after")
    console.print(f"saved: {folder}; predict with python -m src.predict --model {folder}")


def _check(given: argparse.Namespace) -> None:
    if given.output.exists():
        raise DiskError(f"expected '{given.output.name}' not to be there yet, found it; choose another folder, or delete it")
    for name, value, low, high in (
        ("--largest-loss", given.largest_loss, 0, 1),
        ("--calibration-windows", given.calibration_windows, 1, 10_000),
        ("--overlap", given.overlap, 0, 0.95),
    ):
        if not low <= value <= high:
            raise PlanSettingError(f"{name}: expected {low} to {high}, found {value}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m src.predict optimise", description=__doc__)
    parser.add_argument("--model", required=True, type=Path, help="a .safetensors file that training saved")
    parser.add_argument("--data", required=True, type=Path, help="a dataset with training and validation cases")
    parser.add_argument("--output", required=True, type=Path, help="folder to make")
    parser.add_argument(
        "--largest-loss", type=float, default=0.002, help="of the mean validation Dice over structures (default 0.002)"
    )
    parser.add_argument("--calibration-windows", type=int, default=100, help="of training CTs (default 100)")
    parser.add_argument("--overlap", type=float, default=0.25, help="of the sliding windows (default 0.25)")
    parser.add_argument("--cache", type=Path, help="folder for prepared cases, kept; without it they are prepared and deleted")
    return parser
