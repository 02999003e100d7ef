"""A dataset's validation cases, and the Dice of an engine on them: on each CT's own grid, as in training."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from src.data.cache import CaseCache, PreparedCase
from src.data.dataset import Dataset
from src.data.preprocessing import GridGeometry
from src.data.truth import Truth, cached_truth
from src.errors import DatasetError
from src.evaluation.dice import StructureDice, summarise
from src.model.card import ModelCard
from src.predict.engine import Engine
from src.predict.native_field import native_field


@dataclass(frozen=True, kw_only=True)
class ValidationCase:
    """One case.

    Attributes:
        prepared: on the working grid.
        truth: its contours.
        native: its CT's own grid.
        channels: those that are contoured and were trained.
    """

    prepared: PreparedCase
    truth: Truth
    native: GridGeometry
    channels: tuple[int, ...]


def prepare_validation(dataset: Dataset, card: ModelCard, cache: CaseCache) -> list[ValidationCase]:
    """The validation cases in which a structure is contoured that the model was trained on.

    Raises:
        DatasetError: there is none, or a case cannot be read.
    """
    records = [record for record in dataset.cases_of("valid") if set(record.structures) & set(card.trained_structures)]
    if not records:
        raise DatasetError(
            f"expected validation cases of {', '.join(card.trained_structures)} in the dataset of {dataset.site}, found none; "
            "run 'python -m data_prep split' on it, or use another dataset"
        )
    cases = []
    for record in tqdm(records, desc="prepare", unit="case", disable=None, leave=False):
        prepared = cache.prepare(dataset, record)
        truth = cached_truth(Path(cache.folder), prepared.key, dataset, record, cache.structures)
        trained = tuple(channel for channel in truth.channels if card.structures[channel] in card.trained_structures)
        native = GridGeometry.of(dataset.read_geometry(record.name))
        cases.append(ValidationCase(prepared=prepared, truth=truth, native=native, channels=trained))
    return cases


def case_dice(engine: Engine, case: ValidationCase, structures: tuple[str, ...]) -> dict[str, float]:
    """Dice by structure; NaN where a structure is absent from contours and prediction."""
    logits_CXYZ, dice = engine.logits(case.prepared.hu_XYZ), {}
    for channel in case.channels:
        field = native_field(structures[channel], logits_CXYZ[channel], case.prepared.grid, case.native)
        dice[structures[channel]] = case.truth.dice(channel, field.whole_mask_XYZ)
    return dice


def dice_of(engine: Engine, cases: Iterable[ValidationCase], structures: tuple[str, ...]) -> dict[str, StructureDice]:
    """Mean Dice by structure."""
    shown = tqdm(list(cases), desc="validate", unit="case", disable=None, leave=False)
    return summarise([case_dice(engine, case, structures) for case in shown], structures)
