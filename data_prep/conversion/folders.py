"""The folders of a conversion: the export, the dataset and, apart from both, the private folder."""

from pathlib import Path

from src.data.dataset_writer import DatasetWriter
from src.pseudonyms.folders import check_apart, private_folder_beside


def choose_private_folder(export: Path, dataset: Path, private: Path | None) -> Path:
    """The private folder: the one that was named, or ``<dataset>_private`` beside the dataset.

    Raises:
        DatasetError: one of the three lies inside another, or one that is there is no folder.
    """
    chosen = private_folder_beside(dataset, private)
    check_apart({"--input": export, "--output": dataset, "--private": chosen})
    return chosen


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
