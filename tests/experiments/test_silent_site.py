import pytest

from experiments.federation.plan import change_plan, read_plan
from experiments.silent_site import SilentSite, check_silent_site
from src.errors import PlanSettingError

SITES = ("site_a", "site_b", "site_c")


def plan_of(name: str, *changes: str) -> dict:
    plan = read_plan(f"{name}_phantom")
    change_plan(plan, changes)
    return plan


@pytest.mark.parametrize("from_round", [1, 9])
def test_a_site_of_gossip_may_fall_silent_after_its_first_round(from_round):
    check_silent_site(SilentSite(site="site_b", from_round=from_round), plan_of("gossip"), SITES)


@pytest.mark.parametrize(
    ("plan", "site", "from_round", "sites", "said"),
    [
        ("fedavg", "site_b", 3, SITES, "found one with an aggregator"),
        ("individual", "site_b", 3, SITES, "found 'none'"),
        ("cyclic", "site_b", 3, SITES, "found 'chain'"),
        ("gossip", "site_d", 3, SITES, r"\(site_a, site_b, site_c\), found 'site_d'"),
        ("gossip", "site_b", 0, SITES, "expected 1 to 9"),
        ("gossip", "site_b", 10, SITES, "expected 1 to 9, a round of the run after the first, found 10"),
        ("gossip", "site_b", 3, SITES[:2], "expected at least 3 sites"),
    ],
)
def test_what_cannot_be_or_would_show_nothing_is_refused(plan, site, from_round, sites, said):
    with pytest.raises(PlanSettingError, match=said):
        check_silent_site(SilentSite(site=site, from_round=from_round), plan_of(plan), sites)
