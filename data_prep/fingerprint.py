"""``fingerprint``: what a site may tell the others: spacing, HU and counts over at least five patients, and no voxel."""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from data_prep.agreement.fingerprint import make_fingerprint
from data_prep.agreement.measure import measure_case
from src.data.dataset import Dataset
from src.errors import DatasetError

NUM_WORKERS = 2  # threads: SimpleITK reads outside Python's lock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--output", type=Path, metavar="SITE.json", help="also write it to this file; read it before sending")


def run(arguments: argparse.Namespace) -> int:
    """Prints the fingerprint as JSON, and writes it where asked; 0 when done."""
    text = json.dumps(fingerprint_of(Dataset.open(arguments.dataset)), indent=1) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def fingerprint_of(dataset: Dataset) -> dict:
    """Measures a dataset's training cases and tells what may be told of them.

    Raises:
        DatasetError: there is no training case.
        CaseError: one of them cannot be read.
    """
    records = dataset.cases_of("train")
    if not records:
        raise DatasetError(
            f"expected training cases in '{dataset.path.name}', found none: a plan is made for those alone; "
            "run 'python -m data_prep split' first"
        )
    with ThreadPoolExecutor(NUM_WORKERS) as pool:
        measured = pool.map(lambda record: measure_case(dataset, record), records)
        bar = tqdm(measured, total=len(records), desc=f"measuring {dataset.site}", unit="case", disable=None)
        return make_fingerprint(dataset, list(bar))
