"""``split``: assigns every case of a dataset to training, validation or test; by patient, seeded, written once."""

import argparse
from pathlib import Path

from data_prep.count_table import print_counts
from data_prep.stratify import deal_splits
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.errors import DatasetError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fractions", default="0.6,0.15,0.25", help="of training, validation and test (default %(default)s)")
    later = parser.add_mutually_exclusive_group()
    later.add_argument("--new-to-training", action="store_true", help="give cases that came after the draw to training")
    later.add_argument("--again", action="store_true", help="draw anew, although cases have a split already")


def run(arguments: argparse.Namespace) -> int:
    """Draws the splits and records them all at once; 0 when done."""
    fractions = _parse_fractions(arguments.fractions)
    dataset = Dataset.open(arguments.dataset)
    if arguments.new_to_training:
        splits = _new_to_training(dataset)
    else:
        _refuse_second_draw(dataset, again=arguments.again)
        splits = deal_splits({case: record.structures for case, record in dataset.cases.items()}, fractions, arguments.seed)
    writer = DatasetWriter(arguments.dataset, anatomy=dataset.anatomy, site=dataset.site)
    writer.set_splits(splits)
    print_counts({dataset.site: writer.dataset})
    return 0


def _parse_fractions(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise DatasetError(f"expected --fractions as three numbers such as 0.6,0.15,0.25, found '{text}'") from error


def _new_to_training(dataset: Dataset) -> dict[str, str]:
    """Validation and test stay what they were, so that results before and after can be compared."""
    new = [case for case, record in dataset.cases.items() if record.split is None]
    if len(new) == len(dataset.cases):
        raise DatasetError(f"no case of '{dataset.path.name}' has a split yet; draw one first, without --new-to-training")
    return dict.fromkeys(new, "train")


def _refuse_second_draw(dataset: Dataset, *, again: bool) -> None:
    drawn = sum(record.split is not None for record in dataset.cases.values())
    if drawn and not again:
        raise DatasetError(
            f"{drawn} of {len(dataset.cases)} cases of '{dataset.path.name}' have a split already; --new-to-training gives "
            "the others to training; a second draw moves test patients into training, so it needs --again, and every model "
            "trained before it is to be thrown away"
        )
