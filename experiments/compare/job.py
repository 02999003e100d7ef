"""``python -m experiments.compare.job``: one job of a study, in a process of its own; ``make compare`` starts it."""

import argparse
import sys
from pathlib import Path

from experiments.command import exit_code_of
from experiments.compare.errors import StudyError
from experiments.compare.jobs import SPLIT, Job, jobs_of
from experiments.compare.learning_rate import choose, chosen_rate
from experiments.compare.parent import end_with_parent
from experiments.compare.plans import plan_of, sites_of, steps_of_a_site
from experiments.compare.resolved import Resolved
from experiments.compare.study_data import folder_of, sites_folder_of
from experiments.study_folder import own_site_only_of, training_folder
from src.peer_plan import is_peer_plan


def run_job(folder: Path, data: Path, name: str) -> None:
    """Does one job; what it leaves is whole, or not there.

    Args:
        folder: of the study.
        data: folder with one dataset per site.
        name: of the job.

    Raises:
        OarError: there is no such job, or it failed.
    """
    resolved = Resolved.read(folder)
    jobs = jobs_of(resolved.study, list(resolved.sites))
    if name not in jobs:
        raise StudyError(f"expected a job of '{folder.name}', found '{name}'; there are {', '.join(jobs)}")
    job = jobs[name]
    if job.kind == "choose":
        choose(folder, resolved.study, resolved.study.schemes[job.scheme], list(resolved.sites))
    elif job.kind == "score":
        _score(folder, data, resolved, job)
    else:
        _train(folder, data, resolved, job)


def _train(folder: Path, data: Path, resolved: Resolved, job: Job) -> None:
    # Imported where it is needed: a choice among learning rates needs no network.
    from experiments.simulation import simulate

    study, scheme = resolved.study, resolved.study.schemes[job.scheme]
    sites, search = sites_of(study, scheme, list(resolved.sites)), job.kind == "search"
    rate = job.learning_rate if search else chosen_rate(folder, scheme.name)
    plan = plan_of(study, scheme, sites, seed=job.seed, learning_rate=rate, search=search)
    finish = study.search_finish_rounds if search else study.local_finish_rounds
    simulate(
        plan,
        study.plan_name(scheme),
        folder_of(folder, data, scheme),
        folder / job.name,
        scheme=scheme.name,
        cache=folder / "cache",
        # Sites without an aggregator have theirs in the plan.
        local_finish_rounds=0 if is_peer_plan(plan) else finish,
        finish_data=sites_folder_of(folder, data, scheme) if scheme.pooled_data else None,
        finish_steps_per_round=steps_of_a_site(study, scheme, sites) if scheme.pooled_data else None,
        # A learning rate is chosen before anybody knows who will be gone.
        silent=None if search else scheme.silent,
        resume=True,
    )


def _score(folder: Path, data: Path, resolved: Resolved, job: Job) -> None:
    from experiments.scoring import score_training_run

    target = folder / job.done
    target.parent.mkdir(parents=True, exist_ok=True)
    own_site_only = own_site_only_of(resolved.content(), job.scheme)
    run = folder / training_folder(job.scheme, job.seed)
    score_training_run(run, data, SPLIT, target, own_site_only=own_site_only)


def main() -> None:
    """Reads the command line and does one job."""
    parser = argparse.ArgumentParser(prog="python -m experiments.compare.job", description=__doc__)
    parser.add_argument("--study", required=True, type=Path, help="the study folder")
    parser.add_argument("--data", required=True, type=Path, help="folder with one dataset per site")
    parser.add_argument("--job", required=True, help="its name, such as train/gossip/seed_0")
    parser.add_argument("--end-with-stdin", action="store_true", help="end when stdin closes")
    given = parser.parse_args()
    if given.end_with_stdin:
        end_with_parent()
    run_job(given.study, given.data, given.job)


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
