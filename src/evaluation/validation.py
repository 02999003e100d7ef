"""Dice of a network on a site's validation cases, on their CTs' own grids."""

from collections.abc import Collection, Mapping

from tqdm import tqdm

from src.data.preprocessing import GridGeometry
from src.dataloader import CTLoader
from src.evaluation.dice import StructureDice, macro_mean, summarise
from src.model.inference import Predictor


def validate_cases(predictor: Predictor, data_loader: CTLoader, trained: Collection[str]) -> dict[str, StructureDice]:
    """Dice per structure of the plan.

    Args:
        predictor: applies the network.
        data_loader: the site's loader.
        trained: the structures that somebody trained; the others are not predicted and have no Dice.
    """
    structures, cases = data_loader.structures, []
    for case in tqdm(data_loader.valid_cases, desc="validate", unit="case", disable=None, leave=False):
        truth = data_loader.truth(case)
        native = GridGeometry.of(data_loader.dataset.read_geometry(case.name))
        channels = [channel for channel in truth.channels if structures[channel] in trained]
        masks = predictor.masks(case.hu_XYZ, case.grid, native, channels)
        cases.append({structures[channel]: truth.dice(channel, mask_XYZ) for channel, mask_XYZ in masks})
    return summarise(cases, structures)


def dice_facts(dice: Mapping[str, StructureDice]) -> dict:
    """A validation as it stands in the log."""
    return {
        "mean_dice": macro_mean(dice),
        "dice": {name: entry.mean for name, entry in dice.items()},
        "cases": {name: entry.num_scored for name, entry in dice.items()},
    }
