"""The folders of a conversion: the export, the dataset and, apart from both, the private folder."""

from itertools import permutations
from pathlib import Path

from src.data.dataset_writer import DatasetWriter
from src.errors import DatasetError


def choose_private_folder(export: Path, dataset: Path, private: Path | None) -> Path:
    """The private folder: the one that was named, or ``<dataset>_private`` beside the dataset.

    Raises:
        DatasetError: one of the three lies inside another, or one that is there is no folder.
    """
    dataset = dataset.resolve()
    folders = {
        "--input": export.resolve(),
        "--output": dataset,
        "--private": (private or dataset.with_name(f"{dataset.name}_private")).resolve(),
    }
    for option, folder in folders.items():
        if folder.exists() and not folder.is_dir():
            raise DatasetError(f"expected a folder at {option}, found a file; choose another name")
    for (outer, outer_path), (inner, inner_path) in permutations(folders.items(), 2):
        if inner_path.is_relative_to(outer_path):
            raise DatasetError(
                f"expected {inner} apart from {outer}, found it inside; the export, the dataset that is passed on and the key "
                "of its pseudonyms belong in three folders"
            )
    return folders["--private"]


def was_converted_before(dataset: Path, *, anatomy: str, site: str) -> bool:
    """Whether patients were converted into this dataset already; writes nothing.

    Raises:
        DatasetError: the folder holds something else, or a dataset of another anatomy or site.
    """
    if not (dataset / "dataset.json").exists():
        DatasetWriter.check_new(dataset)
        return False
    opened = DatasetWriter(dataset, anatomy=anatomy, site=site).dataset
    return (opened.provenance.get("command") == "convert" and bool(opened.cases)) or any(
        (dataset / "conversion").glob("*.json")
    )
