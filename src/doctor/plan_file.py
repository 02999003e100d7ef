"""The plan: what stands in it, the federation it makes, and whether this site is one of it."""

from collections.abc import Iterator

from src.data.dataset import check_name
from src.doctor.finding import Finding, failed, ok
from src.doctor.shared_fact import Unavailable
from src.doctor.workplace import Workplace
from src.errors import DatasetError, PlanSettingError

_TO_ALL = "correct it on the coordinator's machine and send the same file to every site"


def check_plan_file(place: Workplace) -> Iterator[Finding]:
    """Readable, nothing unknown or missing in it; names the federation."""
    try:
        config = place.config
    except Unavailable as missing:
        yield failed("plan", missing.__cause__, "ls plan/plan.yaml plan/plans/*/plan.yaml")
        return
    place.program  # noqa: B018 - see there
    from src.plan_sections import check_plan

    try:
        check_plan(config)
    except PlanSettingError as error:
        yield failed("plan", error, f"python -m src.plan_check {place.plan}; {_TO_ALL}")
        return
    yield ok("plan", f"federation {place.federation_id}; the same at every site, or they refuse each other")


def check_site_name(place: Workplace) -> Iterator[Finding]:
    """A name that can be certified, and, without an aggregator, one of the roster."""
    try:
        check_name("site", place.site)
    except DatasetError as error:
        yield failed("site name", error, f"python -m src.doctor -n {place.site.lower()} -p {place.plan}")
        return
    if not place.has_peers:
        yield ok("site name", f"{place.site}; the aggregator's plan/cols.yaml must have it")
        return
    roster = place.roster
    if place.site not in roster:
        cause = f"expected one of the plan's roster ({', '.join(roster)}), found {place.site}"
        yield failed("site name", cause, f"python -m src.doctor -n <name of the roster> -p {place.plan}; or {_TO_ALL}")
    else:
        yield ok("site name", f"{place.site}, one of {len(roster)} sites")
