"""What a score file was made from, beside it as ``<name>.stamp.json``: whether it still stands for the run and the data.

A stamp holds the digest of the score file too, so one that was changed or half replaced does not count either.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from experiments.scoring.digests import content_digest
from experiments.scoring.listed_models import read_listed_models
from experiments.whole_text import write_whole
from src.data.dataset import Dataset
from src.data.structures import load_structures
from src.file_digest import file_digest


def stamp_of(run_folder: Path, sites: Mapping[str, Dataset], split: str, own_site_only: bool) -> dict:
    """What the scores of a run depend on: each model's SHA-256, the list of them, the patients, the table of structures."""
    return {
        "models": {model.path: file_digest(run_folder / model.path) for model in read_listed_models(run_folder)},
        "models_json": file_digest(run_folder / "models.json"),
        "patients": content_digest(patients_of(sites, split)),
        "structures": load_structures().digest,
        "split": split,
        "own_site_only": own_site_only,
    }


def patients_of(sites: Mapping[str, Dataset], split: str) -> dict[str, dict[str, list[str]]]:
    """Per site, the patients of a split and what is contoured in each."""
    return {
        site: {record.name: list(record.structures) for record in dataset.cases_of(split)} for site, dataset in sites.items()
    }


def write_stamp(target: Path, stamp: dict) -> None:
    """Writes the stamp of a score file that is there."""
    write_whole(_path(target), json.dumps({**stamp, "scores": file_digest(target)}, indent=1) + "\n")


def is_up_to_date(target: Path, stamp: dict) -> bool:
    """Whether a score file is there, as it was written, and made from what ``stamp`` says."""
    if not (target.is_file() and _path(target).is_file()):
        return False
    try:
        found = json.loads(_path(target).read_text(encoding="utf-8"))
    except ValueError:
        return False
    return found == {**stamp, "scores": file_digest(target)}


def _path(target: Path) -> Path:
    return target.with_suffix(".stamp.json")
