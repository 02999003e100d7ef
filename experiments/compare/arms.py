"""The arms of a study: what a scheme's run leaves behind that can be scored, by name.

One run may leave more than one: gossip leaves each site's own model and one that all share; a server's scheme leaves the shared
model and, with a local finish, what each site made of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.compare.errors import StudyError
from experiments.compare.study import Study
from src.peer_plan import is_peer_plan


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One arm.

    Attributes:
        name: in the scores and the report.
        scheme: whose run leaves it.
        shared: whether it is one model for all sites.
    """

    name: str
    scheme: str
    shared: bool


def arms_of(scheme: str, plan: Mapping, local_finish_rounds: int) -> tuple[Arm, ...]:
    """The arms of one scheme, the primary one first: the model each site works with in the end.

    Args:
        scheme: its name.
        plan: its plan, parsed.
        local_finish_rounds: the study's.
    """
    schedule = plan["collaborator"]["settings"]["exchange"]["schedule"] if is_peer_plan(plan) else "server"
    shared = Arm(name=scheme, scheme=scheme, shared=True)
    own = Arm(name=scheme, scheme=scheme, shared=False)
    if schedule == "none":
        return (own,)
    if schedule == "chain":
        return (shared,)
    if schedule != "server":
        return (own, Arm(name=f"{scheme}_consensus", scheme=scheme, shared=True))
    if local_finish_rounds == 0:
        return (shared,)
    return (Arm(name=f"{scheme}_local", scheme=scheme, shared=False), shared)


def arms_of_study(study: Study, plans: Mapping[str, Mapping]) -> dict[str, Arm]:
    """All arms by name.

    Args:
        study: its schemes.
        plans: each scheme's plan, parsed.

    Raises:
        StudyError: two have the same name; hypothesis, comparisons or advice name one that no scheme leaves.
    """
    arms: dict[str, Arm] = {}
    for scheme in study.schemes:
        for arm in arms_of(scheme, plans[scheme], study.local_finish_rounds):
            if arm.name in arms:
                raise StudyError(
                    f"study '{study.name}': schemes {arms[arm.name].scheme} and {scheme} both leave an arm '{arm.name}'; "
                    "rename one of them"
                )
            arms[arm.name] = arm
    for where, name in named_arms(study):
        if name not in arms:
            raise StudyError(f"study '{study.name}': {where}: expected an arm of {', '.join(arms)}, found '{name}'")
    return arms


def named_arms(study: Study) -> list[tuple[str, str]]:
    """(where, arm) for each time the study claims or asks something of an arm."""
    claimed = [] if study.hypothesis is None else [study.hypothesis.scheme, study.hypothesis.reference]
    return [
        *(("hypothesis", name) for name in claimed),
        *(("comparisons", name) for pair in study.comparisons for name in pair),
        *(("advice", name) for name in study.advice),
    ]


def core_schemes(study: Study, arms: Mapping[str, Arm]) -> set[str]:
    """The schemes the study claims something of: their runs come first."""
    return {arms[name].scheme for where, name in named_arms(study) if where != "advice"}
