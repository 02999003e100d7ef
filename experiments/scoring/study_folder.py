"""A study folder as scoring sees it: its resolved study, its finished training runs, and where their scores go."""

from pathlib import Path

import yaml

from experiments.scoring.registration_error import RegistrationError

STUDY = "study.yaml"


def read_study(study_folder: Path) -> dict:
    """The resolved study.

    Raises:
        RegistrationError: the folder holds none, or one without schemes.
    """
    path = study_folder / STUDY
    content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    if not isinstance(content, dict) or not isinstance(content.get("schemes"), dict) or not content["schemes"]:
        raise RegistrationError(
            f"expected a study with schemes in '{study_folder.name}/{STUDY}', found none; give a folder of `make compare`"
        )
    return content


def study_of(run_folder: Path) -> Path | None:
    """The study folder that a run folder lies in, or None."""
    return next((parent for parent in run_folder.resolve().parents if (parent / STUDY).is_file()), None)


def done_runs(study_folder: Path) -> dict[str, list[Path]]:
    """The finished training runs by scheme, sorted by seed; every scheme of the study is there, if only with an empty list.

    Raises:
        RegistrationError: a finished run is of no scheme of the study.
    """
    schemes = {scheme: [] for scheme in sorted(read_study(study_folder)["schemes"])}
    for path in study_folder.glob("train/*/seed_*/done.json"):
        run = path.parent
        if run.parent.name not in schemes:
            raise RegistrationError(
                f"expected training runs of {', '.join(schemes)}, found one of '{run.parent.name}'; move it out of the study"
            )
        schemes[run.parent.name].append(run)
    return {scheme: sorted(runs, key=seed_of_folder) for scheme, runs in schemes.items()}


def seed_of_folder(run_folder: Path) -> int:
    """The seed in the name of a training run's folder.

    Raises:
        RegistrationError: it has none.
    """
    text = run_folder.name.removeprefix("seed_")
    if not text.isdecimal():
        raise RegistrationError(f"expected a folder seed_<number>, found '{run_folder.name}'; move it out of the study")
    return int(text)


def score_path(study_folder: Path, split: str, run_folder: Path) -> Path:
    """Where the scores of a training run go."""
    return study_folder / "scores" / split / run_folder.parent.name / f"{run_folder.name}.jsonl"


def own_site_only_of(study_folder: Path, run_folder: Path) -> bool:
    """Whether the study leaves out other sites' patients; never where a site is left out, whose patients are the point."""
    study = read_study(study_folder)
    scheme = study["schemes"][run_folder.parent.name] or {}
    return not study.get("cross_site", True) and not scheme.get("without")
