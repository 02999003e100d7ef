"""``pool``: one dataset with all cases of several, for the pooled baseline that no hospital could have.

Files are linked, not copied, where the disk allows: the pool then takes no room. Datasets replace their files as a whole and
never write into one, so a link is as safe as a copy.
"""

import argparse
import os
import shutil
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from data_prep.count_table import print_counts
from src.data.case_files import partial_folder
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.errors import DatasetError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("datasets", type=Path, nargs="+", metavar="dataset")
    parser.add_argument("--output", type=Path, required=True, help="folder of the new dataset")
    parser.add_argument("--site", default="pooled", help="its site name (default %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Pools; 0 when every case is in the new dataset."""
    datasets = [Dataset.open(path) for path in arguments.datasets]
    _check_pool(datasets, arguments.output)
    site_of = {case: dataset.site for dataset in datasets for case in sorted(dataset.cases)}
    writer = DatasetWriter(
        arguments.output,
        anatomy=datasets[0].anatomy,
        site=arguments.site,
        provenance={"command": "pool", "site_of_case": site_of},
    )
    pairs = [(dataset, case) for dataset in datasets for case in dataset.cases]
    for dataset, case in tqdm(pairs, desc="pooling", unit="case", disable=None):
        _link_case(dataset, case, writer)
    print_counts({arguments.site: writer.dataset})
    return 0


def _check_pool(datasets: list[Dataset], output: Path) -> None:
    if len(anatomies := sorted({dataset.anatomy for dataset in datasets})) > 1:
        raise DatasetError(f"expected datasets of one anatomy, found {' and '.join(anatomies)}; pool each apart")
    times = Counter(case for dataset in datasets for case in dataset.cases)
    if clashing := sorted(case for case, count in times.items() if count > 1):
        raise DatasetError(
            f"{len(clashing)} case names stand in more than one dataset ({', '.join(clashing[:5])}); "
            "give every case its own name, or leave out the dataset that is named twice"
        )
    for dataset in datasets:
        for case, record in dataset.cases.items():
            missing = [dataset.ct_path(case), *(dataset.mask_path(case, name) for name in record.structures)]
            if absent := [path.name for path in missing if not path.is_file()]:
                raise DatasetError(f"case {case} of '{dataset.path.name}' lacks {absent[0]}; run 'data_prep check' on it first")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise DatasetError(f"expected a new or empty folder at --output, found '{output.name}' in use; choose another")


def _link_case(dataset: Dataset, case: str, writer: DatasetWriter) -> None:
    record = dataset.cases[case]
    partial = partial_folder(writer.dataset.path, case)
    (partial / "structures").mkdir(parents=True)
    _link(dataset.ct_path(case), partial / "ct.nii.gz")
    for name in record.structures:
        _link(dataset.mask_path(case, name), partial / "structures" / f"{name}.nii.gz")
    writer.place_case(record)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without hard links
        shutil.copyfile(source, target)
