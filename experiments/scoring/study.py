"""``score_study``: the scores of all finished training runs of a study, made again only where a model or the data changed."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from tqdm import tqdm

from experiments.federation.template import REPOSITORY
from experiments.federation.workspaces import find_sites
from experiments.scoring.git_head import head_commit
from experiments.scoring.listed_models import read_listed_models
from experiments.scoring.look import RESULTS, Look, log_look, part_of
from experiments.scoring.registration import check_registered
from experiments.scoring.registration_error import RegistrationError
from experiments.scoring.stamp import is_up_to_date, stamp_of
from experiments.scoring.training_run import TEST, score_training_run
from experiments.study_folder import done_runs, own_site_only_of, read_study, scores_file, seed_of_folder


def score_study(
    study_folder: Path,
    data: Path,
    split: str = "valid",
    final: bool = False,
    *,
    own_site_only: bool | None = None,
    reason: str = "make report FINAL=1",
    num_processes: int = 1,
    console: Console | None = None,
    repository: Path = REPOSITORY,
    results: Path = RESULTS,
) -> list[Path]:
    """Scores what has no scores yet, or scores of other models, patients or structures.

    Args:
        study_folder: of ``make compare``.
        data: folder with one dataset per site.
        split: of ``SPLITS``.
        final: needed for ``test`` and for nothing else; the study must be registered, and the look is logged first.
        own_site_only: see ``score_training_run``; by default as ``cross_site`` of the study says.
        reason: why to look at the test patients; stands in docs/results.md.
        num_processes: runs scored at a time, one thread each.
        console: for a line per run.
        repository, results: where the registration and the table of looks lie.

    Returns:
        The score files of all finished runs, by scheme and seed; empty when no run is finished.

    Raises:
        RegistrationError: test patients are not to be read now.
        OarError: a run, its models or the data cannot be used.
    """
    if final != (split == TEST):
        raise RegistrationError(
            f"expected final with the test patients and only then, found final={final} with {split}; test patients are scored"
            " by `make report FINAL=1`"
        )
    registration = check_registered(study_folder, data, repository) if final else None
    jobs = _jobs(study_folder, data, split, own_site_only)
    targets = [job["target"] for job in jobs]
    jobs = _stale(jobs)
    look = None
    if registration and jobs:
        look = _log(study_folder, [job["run_folder"] for job in jobs], registration, reason, repository, results)
    _score_all(jobs, look, num_processes, console or Console())
    return targets


def _jobs(study_folder: Path, data: Path, split: str, own_site_only: bool | None) -> list[dict]:
    """What ``score_training_run`` is called with, a finished run each."""
    study = read_study(study_folder)
    return [
        {
            "run_folder": run,
            "data": data,
            "split": split,
            "target": study_folder / scores_file(split, scheme, seed_of_folder(run)),
            "own_site_only": own_site_only_of(study, scheme) if own_site_only is None else own_site_only,
        }
        for scheme, runs in done_runs(study_folder).items()
        for run in runs
    ]


def _stale(jobs: Sequence[dict]) -> list[dict]:
    """Those whose scores are not there, or were made from something else."""
    sites = find_sites(jobs[0]["data"]) if jobs else {}
    return [
        job
        for job in jobs
        if not is_up_to_date(job["target"], stamp_of(job["run_folder"], sites, job["split"], job["own_site_only"]))
    ]


def _log(study_folder: Path, runs: Sequence[Path], registration: str, reason: str, repository: Path, results: Path) -> Look:
    models = [model for run in runs for model in read_listed_models(run)]
    return log_look(
        study=study_folder.resolve().name,
        runs=runs,
        arms=[model.arm for model in models],
        models=len(models),
        registration=registration,
        commit=head_commit(repository),
        reason=reason,
        results=results,
    )


def _score_all(jobs: Sequence[Mapping], look: Look | None, num_processes: int, console: Console) -> None:
    if num_processes == 1:
        for job in tqdm(jobs, desc="score", unit="run", disable=None, leave=False):
            _say(score_training_run(**job, look=look), console)
        return
    # Fresh processes: a forked one would share the threads of torch, which do not survive a fork.
    with ProcessPoolExecutor(max_workers=num_processes, mp_context=get_context("spawn")) as processes:
        futures = [processes.submit(score_training_run, **job, look=part_of(look, job["run_folder"])) for job in jobs]
        try:
            for future in tqdm(as_completed(futures), total=len(jobs), desc="score", unit="run", disable=None, leave=False):
                _say(future.result(), console)
        finally:
            processes.shutdown(cancel_futures=True)


def _say(target: Path, console: Console) -> None:
    console.print(f"scored: {target.parent.name}/{target.stem}", highlight=False)
