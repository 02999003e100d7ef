"""Where everything lies in a study folder of ``make compare``; whoever reads or writes there asks here.

``study.yaml`` is the study with every default written out. Short runs are in ``search/<scheme>/lr_<rate>``, what they led to in
``search/<scheme>/chosen.json``, trainings in ``train/<scheme>/seed_<n>``, scores in ``scores/<split>/<scheme>/seed_<n>.jsonl``.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

from src.errors import OarError

STUDY_FILE = "study.yaml"
DONE = "done.json"  # the last file of a run


class StudyFolderError(OarError):
    """A folder that is no study's, or holds what belongs to no scheme of its study."""


def search_folder(scheme: str, learning_rate: float) -> Path:
    """Of a short run, below the study folder."""
    return Path("search") / scheme / f"lr_{learning_rate:g}"


def chosen_file(scheme: str) -> Path:
    """Of the learning rate that was chosen, below the study folder."""
    return Path("search") / scheme / "chosen.json"


def training_folder(scheme: str, seed: int) -> Path:
    """Of a training run, below the study folder."""
    return Path("train") / scheme / f"seed_{seed}"


def scores_file(split: str, scheme: str, seed: int) -> Path:
    """Of a training run's scores, below the study folder."""
    return Path("scores") / split / scheme / f"seed_{seed}.jsonl"


def read_study(study_folder: Path) -> dict:
    """What stands in study.yaml.

    Raises:
        StudyFolderError: the folder holds none, or one without schemes.
    """
    path = study_folder / STUDY_FILE
    content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    if not isinstance(content, dict) or not isinstance(content.get("schemes"), dict) or not content["schemes"]:
        raise StudyFolderError(
            f"expected a study with schemes in '{study_folder.name}/{STUDY_FILE}', found none; give a folder of `make compare`"
        )
    return content


def study_of(run_folder: Path) -> Path | None:
    """The study folder that a run folder lies in, or None."""
    return next((parent for parent in run_folder.resolve().parents if (parent / STUDY_FILE).is_file()), None)


def done_runs(study_folder: Path) -> dict[str, list[Path]]:
    """The finished training runs of every scheme, in the study's order, then by seed; an empty list where there is none.

    Raises:
        StudyFolderError: the folder is no study's, or a finished run is of no scheme of the study.
    """
    runs: dict[str, list[Path]] = {scheme: [] for scheme in read_study(study_folder)["schemes"]}
    for path in study_folder.glob(f"train/*/seed_*/{DONE}"):
        run = path.parent
        if run.parent.name not in runs:
            raise StudyFolderError(
                f"expected training runs of {', '.join(runs)}, found one of '{run.parent.name}'; move it out of the study"
            )
        runs[run.parent.name].append(run)
    return {scheme: sorted(of_scheme, key=seed_of_folder) for scheme, of_scheme in runs.items()}


def seed_of_folder(run_folder: Path) -> int:
    """The seed in the name of a training run's folder.

    Raises:
        StudyFolderError: it has none.
    """
    text = run_folder.name.removeprefix("seed_")
    if not text.isdecimal():
        raise StudyFolderError(f"expected a folder seed_<number>, found '{run_folder.name}'; move it out of the study")
    return int(text)


def own_site_only_of(study: Mapping, scheme: str) -> bool:
    """Whether the study leaves out other sites' patients; never where a site is left out, whose patients are the point.

    Args:
        study: from ``read_study``.
        scheme: of it.
    """
    return not study.get("cross_site", True) and not (study["schemes"][scheme] or {}).get("without")
