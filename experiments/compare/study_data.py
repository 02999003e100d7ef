"""The data folders of a study's schemes: all sites, some of them left out, or everybody's patients in one dataset."""

import contextlib
import io
import shutil
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from data_prep import pool
from experiments.compare.errors import StudyError
from experiments.compare.plans import plan_of
from experiments.compare.study import Scheme, Study
from src.data.dataset import Dataset
from src.plan_signature import import_template

POOLED = "pooled"


def folder_of(study_folder: Path, data: Path, scheme: Scheme) -> Path:
    """Where a scheme's training finds its datasets.

    Args:
        study_folder: of the study.
        data: folder with one dataset per site.
        scheme: of the study.
    """
    left_out = "".join(f"_without_{site}" for site in sorted(scheme.without))
    if scheme.pooled_data:
        return study_folder / f"pooled_data{left_out}"
    return study_folder / f"data{left_out}" if left_out else data


def sites_folder_of(study_folder: Path, data: Path, scheme: Scheme) -> Path:
    """The datasets of the sites that take part in a scheme, each by itself."""
    left_out = "".join(f"_without_{site}" for site in sorted(scheme.without))
    return study_folder / f"data{left_out}" if left_out else data


def check_anatomy(study: Study, datasets: Mapping[str, Dataset]) -> None:
    """Refuses datasets that the study's plans cannot train on, before a folder is made for them.

    Args:
        study: as asked for.
        datasets: by site.

    Raises:
        StudyError: naming the site.
    """
    scheme = next(iter(study.schemes.values()))
    plan = plan_of(study, scheme, sorted(datasets), seed=0, learning_rate=study.learning_rates[0])
    wanted = import_template("data_loader", plan["data_loader"]["template"]).anatomy
    for site, dataset in sorted(datasets.items()):
        if dataset.anatomy != wanted:
            raise StudyError(
                f"study '{study.name}' of {study.anatomy}: expected datasets of {wanted}, found one of {dataset.anatomy} in "
                f"'{site}'; give another study (ANATOMY=, STUDY=) or other data (DATA=)"
            )


def make_data(study_folder: Path, data: Path, scheme: Scheme, sites: Sequence[str]) -> None:
    """Makes what ``folder_of`` and ``sites_folder_of`` name, where it is not there.

    Args:
        sites: those that take part.

    Raises:
        DatasetError: the datasets cannot be pooled.
    """
    apart = sites_folder_of(study_folder, data, scheme)
    if apart != data and not apart.is_dir():
        _link(apart, data, sites)
    together = folder_of(study_folder, data, scheme)
    if scheme.pooled_data and not together.is_dir():
        _pool(together, [data / site for site in sites])


def _link(folder: Path, data: Path, sites: Sequence[str]) -> None:
    partial = _fresh(folder)
    for site in sites:
        (partial / site).symlink_to((data / site).resolve(), target_is_directory=True)
    partial.rename(folder)


def _pool(folder: Path, datasets: Sequence[Path]) -> None:
    partial = _fresh(folder)
    # Its table of cases says nothing that the sites' own do not.
    with contextlib.redirect_stdout(io.StringIO()):
        pool.run(Namespace(datasets=list(datasets), output=partial / POOLED, site=POOLED))
    partial.rename(folder)


def _fresh(folder: Path) -> Path:
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial
