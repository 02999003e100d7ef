"""The jobs of a study and what each of them waits for: search, choose, train, score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.compare.arms import arms_of_study, core_schemes
from experiments.compare.plans import own_steps, plan_of, sites_of, steps_of_a_site
from experiments.compare.study import Scheme, Study
from experiments.study_folder import DONE, chosen_file, scores_file, search_folder, training_folder
from src.peer_plan import is_peer_plan

SPLIT = "valid"  # test patients are scored by the report alone


@dataclass(frozen=True, kw_only=True)
class Job:
    """One process's work.

    Attributes:
        name: such as ``train/gossip/seed_0``; for ``search`` and ``train`` also the run's folder in the study folder.
        kind: ``search``, ``choose``, ``train`` or ``score``.
        scheme: whose.
        seed: of the run; None for ``choose``.
        learning_rate: of a search; None for the others.
        needs: names of the jobs that must be done before.
        done: file in the study folder that is there when it is done.
        steps: optimiser steps it takes, all sites together; 0 where none is trained.
        rounds: of a run; 0 where none is trained.
        core: whether the study claims something of its scheme.
    """

    name: str
    kind: str
    scheme: str
    seed: int | None = None
    learning_rate: float | None = None
    needs: tuple[str, ...] = ()
    done: Path
    steps: int = 0
    rounds: int = 0
    core: bool = False


def jobs_of(study: Study, sites: Sequence[str]) -> dict[str, Job]:
    """All jobs of a study by name, each after those it needs.

    Args:
        study: its schemes with the seeds that are asked for.
        sites: of the data.
    """
    plans = {name: _any_plan(study, scheme, sites) for name, scheme in study.schemes.items()}
    core = core_schemes(study, arms_of_study(study, plans))
    asked = [scheme for scheme in study.schemes.values() if scheme.seeds]
    jobs: dict[str, Job] = {}
    for scheme in schemes_at_work(study):
        is_core = scheme.name in core or any(entry.learning_rate_of == scheme.name and entry.name in core for entry in asked)
        for job in _choosing(study, scheme, sites, is_core):
            jobs[job.name] = job
    for scheme in asked:
        for job in _training(study, scheme, sites, scheme.name in core):
            jobs[job.name] = job
    return jobs


def schemes_at_work(study: Study) -> list[Scheme]:
    """The schemes of which anything is asked: first those whose learning rate others take, then those with seeds."""
    asked = [scheme for scheme in study.schemes.values() if scheme.seeds]
    lenders = {scheme.learning_rate_of for scheme in asked}
    lending = [scheme for scheme in study.schemes.values() if scheme.name in lenders]
    return lending + [scheme for scheme in asked if scheme not in lending]


def _choosing(study: Study, scheme: Scheme, sites: Sequence[str], core: bool) -> list[Job]:
    jobs = []
    if study.searches(scheme):
        for rate in study.learning_rates:
            folder = search_folder(scheme.name, rate)
            jobs.append(
                Job(
                    name=folder.as_posix(),
                    kind="search",
                    scheme=scheme.name,
                    seed=study.search_seed,
                    learning_rate=rate,
                    done=folder / DONE,
                    steps=_steps(study, scheme, sites, study.search_rounds, study.search_finish_rounds),
                    rounds=study.search_rounds,
                    core=core,
                )
            )
    other = [f"choose/{scheme.learning_rate_of}"] if scheme.learning_rate_of else []
    needs = (*(job.name for job in jobs), *other)
    choosing = Job(
        name=f"choose/{scheme.name}", kind="choose", scheme=scheme.name, needs=needs, done=chosen_file(scheme.name), core=core
    )
    return [*jobs, choosing]


def _training(study: Study, scheme: Scheme, sites: Sequence[str], core: bool) -> list[Job]:
    jobs = []
    for seed in scheme.seeds:
        folder, common = training_folder(scheme.name, seed), {"scheme": scheme.name, "seed": seed, "core": core}
        training = Job(
            name=folder.as_posix(),
            kind="train",
            needs=(f"choose/{scheme.name}",),
            done=folder / DONE,
            steps=_steps(study, scheme, sites, study.rounds, study.local_finish_rounds) - _steps_left_out(study, scheme, sites),
            rounds=study.rounds,
            **common,
        )
        scoring = Job(
            name=f"score/{scheme.name}/seed_{seed}",
            kind="score",
            needs=(training.name,),
            done=scores_file(SPLIT, scheme.name, seed),
            **common,
        )
        jobs += [training, scoring]
    return jobs


def _steps(study: Study, scheme: Scheme, sites: Sequence[str], rounds: int, finish_rounds: int) -> int:
    plan, present = _any_plan(study, scheme, sites), sites_of(study, scheme, sites)
    trained = rounds * own_steps(plan) * (1 if scheme.pooled_data else len(present))
    # A server's sites train their last rounds a second time, alone.
    finish = 0 if is_peer_plan(plan) else finish_rounds
    return trained + finish * steps_of_a_site(study, scheme, present) * len(present)


def _steps_left_out(study: Study, scheme: Scheme, sites: Sequence[str]) -> int:
    """Of the site that falls silent."""
    if scheme.silent is None:
        return 0
    return (study.rounds - scheme.silent.from_round) * own_steps(_any_plan(study, scheme, sites))


def _any_plan(study: Study, scheme: Scheme, sites: Sequence[str]) -> dict:
    return plan_of(study, scheme, sites_of(study, scheme, sites), seed=0, learning_rate=study.learning_rates[0])


def waiting_on(jobs: Mapping[str, Job]) -> dict[str, tuple[str, ...]]:
    """By job, the names of those that need it."""
    return {name: tuple(job.name for job in jobs.values() if name in job.needs) for name in jobs}
