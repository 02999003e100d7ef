"""The plan of one run of a study: a plan of ``plan/plans`` with what the study has in common, and the run's own settings."""

import hashlib
from collections.abc import Collection, Sequence
from copy import deepcopy
from functools import cache

from experiments.compare.arms import arms_of_study
from experiments.compare.errors import StudyError
from experiments.compare.study import Scheme, Study
from experiments.federation.plan import change_plan, plan_bytes, read_plan, set_rounds
from experiments.silent_site import check_silent_site
from src.errors import PlanSettingError
from src.peer_plan import is_peer_plan
from src.plan_sections import check_plan

STEPS_PER_ROUND = "task_runner.settings.steps_per_round"
_LOCAL_ROUNDS = "collaborator.settings.exchange.local_rounds_at_end"


def plan_of(
    study: Study, scheme: Scheme, sites: Collection[str], *, seed: int, learning_rate: float, search: bool = False
) -> dict:
    """The plan of one run.

    Args:
        study: what all runs have in common.
        scheme: of it.
        sites: those that take part.
        seed: of the first weights, the patches and a random schedule of exchanges.
        learning_rate: the highest of the run.
        search: whether it is a short run that helps to choose a learning rate.

    Raises:
        PlanSettingError: there is no such plan, or a change names a setting that it has not.
    """
    plan = deepcopy(_read_once(study.plan_name(scheme)))
    set_rounds(plan, study.search_rounds if search else study.rounds)
    change_plan(plan, study.changes)
    if is_peer_plan(plan):
        plan["collaborator"]["settings"]["roster"] = sorted(sites)
        plan["collaborator"]["settings"]["exchange"]["seed"] = seed
        if plan["collaborator"]["settings"]["exchange"]["schedule"] not in ("none", "chain"):
            finish = study.search_finish_rounds if search else study.local_finish_rounds
            change_plan(plan, [f"{_LOCAL_ROUNDS}={finish}"])
    change_plan(plan, scheme.changes)
    change_plan(plan, [f"{section}.settings.random_seed={seed}" for section in ("data_loader", "task_runner")])
    plan["task_runner"]["settings"]["optimisation"]["learning_rate"] = learning_rate
    if scheme.steps == "sum":
        change_plan(plan, [f"{STEPS_PER_ROUND}={own_steps(plan) * len(sites)}"])
    return plan


@cache
def _read_once(name: str) -> dict:
    """A plan as it was when it was first read: reading one takes longer than all that is done with it here."""
    return read_plan(name)


def own_steps(plan: dict) -> int:
    """Optimiser steps of a round, as the plan has them."""
    return plan["task_runner"]["settings"]["steps_per_round"]


def steps_of_a_site(study: Study, scheme: Scheme, sites: Collection[str]) -> int:
    """Optimiser steps of a round as one site has them, whatever data the scheme trains on."""
    steps = own_steps(plan_of(study, scheme, sites, seed=0, learning_rate=study.learning_rates[0]))
    return steps // len(sites) if scheme.steps == "sum" else steps


def digest_of(study: Study, scheme: Scheme, sites: Collection[str]) -> str:
    """SHA-256 of a scheme's plan, seed and learning rate apart: two schemes with the same one train alike."""
    plan = plan_of(study, scheme, sites, seed=0, learning_rate=study.learning_rates[0])
    return hashlib.sha256(plan_bytes(plan)).hexdigest()


def sites_of(study: Study, scheme: Scheme, sites: Sequence[str]) -> tuple[str, ...]:
    """The sites that take part in a scheme, sorted.

    Raises:
        StudyError: it leaves out a site that there is not, or all.
    """
    if unknown := sorted(set(scheme.without) - set(sites)):
        raise StudyError(
            f"schemes.{scheme.name}.without: expected sites of the data ({', '.join(sites)}), found '{unknown[0]}'"
        )
    if not (left := tuple(sorted(set(sites) - set(scheme.without)))):
        raise StudyError(f"schemes.{scheme.name}.without: expected at least one site to stay, found all left out")
    return left


def check_plans(study: Study, sites: Sequence[str]) -> None:
    """Refuses a study of which any run would fail at once, or would not be fair.

    Args:
        study: as asked for.
        sites: of the data.

    Raises:
        StudyError: naming the scheme.
    """
    plans = {}
    for scheme in study.schemes.values():
        where, present = f"study '{study.name}': schemes.{scheme.name}", sites_of(study, scheme, sites)
        try:
            plans[scheme.name] = _checked_plan(study, scheme, present)
            if scheme.silent is not None:
                check_silent_site(scheme.silent, plans[scheme.name], present)
            if study.searches(scheme):
                where += ", short runs of its search"
                _checked_plan(study, scheme, present, search=True)
        except PlanSettingError as error:
            raise StudyError(f"{where}: {error}") from error
        _check_pooled(study, scheme, plans[scheme.name])
    arms_of_study(study, plans)


def _checked_plan(study: Study, scheme: Scheme, sites: Collection[str], search: bool = False) -> dict:
    plan = plan_of(study, scheme, sites, seed=0, learning_rate=study.learning_rates[0], search=search)
    check_plan(plan)
    return plan


def _check_pooled(study: Study, scheme: Scheme, plan: dict) -> None:
    where = f"study '{study.name}': schemes.{scheme.name}"
    if not scheme.pooled_data:
        return
    if is_peer_plan(plan):
        raise StudyError(f"{where}.pooled_data: expected a plan with an aggregator; one dataset has nobody to exchange with")
    changed = {change.partition("=")[0].strip() for change in (*study.changes, *scheme.changes)}
    if STEPS_PER_ROUND not in changed:
        # A pooled plan brings the steps of six sites along: nobody could tell what own and sum refer to.
        raise StudyError(
            f"{where}.steps: expected {STEPS_PER_ROUND} in the study's changes, the same for every scheme, found the plan's own"
        )
