"""A site that falls silent in the middle of a run, as a study file can ask for: ``silent: {site: site_d, from_round: 3}``."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from src.errors import PlanSettingError
from src.peer_plan import is_peer_plan

# With fewer, whoever stays has nobody left to agree on a model with.
FEWEST_SITES = 3
_WITHOUT_PULLS_AMONG_ALL = ("none", "chain")


@dataclass(frozen=True, kw_only=True)
class SilentSite:
    """Who falls silent and when.

    Attributes:
        site: its name.
        from_round: the first round it does not do; rounds count from 0, so it does as many.
    """

    site: str
    from_round: int


def check_silent_site(silent: SilentSite, plan: Mapping, sites: Collection[str]) -> None:
    """Refuses what cannot be, or would show nothing.

    Args:
        silent: as asked for.
        plan: checked.
        sites: that take part.

    Raises:
        PlanSettingError: the plan is not one of sites that pull from each other, there is no such site or round, or there are
            fewer than ``FEWEST_SITES``.
    """
    if not is_peer_plan(plan):
        raise PlanSettingError("silent: expected a gossip plan, found one with an aggregator, which waits for every site")
    settings = plan["collaborator"]["settings"]
    schedule, rounds = settings["exchange"]["schedule"], settings["rounds"]
    if schedule in _WITHOUT_PULLS_AMONG_ALL:
        # Alone nobody would notice, and a chain without one of its links has no model at its end.
        raise PlanSettingError(f"silent: expected a schedule of sites that pull from each other, found '{schedule}'")
    if silent.site not in sites:
        raise PlanSettingError(
            f"silent.site: expected a site that takes part ({', '.join(sorted(sites))}), found '{silent.site}'"
        )
    if not 1 <= silent.from_round < rounds:
        raise PlanSettingError(
            f"silent.from_round: expected 1 to {rounds - 1}, a round of the run after the first, found {silent.from_round}"
        )
    if len(sites) < FEWEST_SITES:
        raise PlanSettingError(f"silent: expected at least {FEWEST_SITES} sites, so that two stay, found {len(sites)}")
