"""What the noise that the plan asks for will have amounted to when the run is over; nothing where it asks for none."""

from collections.abc import Iterator

from src.doctor.finding import Finding, failed, not_checked, ok, warning
from src.doctor.workplace import Workplace
from src.errors import PlanSettingError
from src.exchange.noise.accountant import promise_of
from src.exchange.noise.settings import read_noise


def check_noise(place: Workplace) -> Iterator[Finding]:
    """The library that accounts for it is there; what it says of all rounds, those before a lost disk included."""
    if not place.exchanges:
        return
    try:
        settings = read_noise(place.setting("collaborator.settings.exchange", dict).get("noise"))
    except PlanSettingError:
        yield not_checked("noise", "settings of it that can be read")
        return
    if settings is None:
        return
    publications = place.peers.epoch * place.setting("collaborator.settings.rounds", int)
    try:
        promise = promise_of(settings, publications)
    except PlanSettingError as error:
        yield failed("noise", error, "pip install 'dp-accounting>=0.6,<1'")
        return
    if not settings.noise_multiplier:
        yield warning("noise", promise, f"noise_multiplier above 0 in {place.plan}, for all sites; see docs/security.md")
        return
    yield ok("noise", f"by the end of the run {promise}")
