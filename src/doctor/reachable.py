"""Who can meet whom, as the plan says it, and what this site's own addresses say."""

from collections.abc import Iterator

from src.doctor.finding import Finding, failed, ok, warning
from src.doctor.workplace import Workplace
from src.errors import PlanSettingError
from src.exchange.reachability import DIRECT, GRPC, check_connected, kind_of, transport_between


def check_reachability(place: Workplace) -> Iterator[Finding]:
    """What any site knows can reach every site; and addresses agree with what the plan says of each site."""
    if not place.exchanges:
        return
    table, folder = place.reachability, place.all_mount_folder
    in_all_plans = f"nano {place.plan}, on the coordinator's machine, for all sites"
    try:
        check_connected(place.roster, table, folder=folder)
    except PlanSettingError as error:
        yield failed("reachability", error, in_all_plans)
        return
    own, peers = kind_of(table, place.site), place.peers
    listens = peers.listen is not None
    if own == DIRECT and not listens:
        cause = "the plan says that others call this site (direct), and plan/peers.yaml says listen: null"
        yield warning(
            "reachability",
            cause,
            f'listen: "0.0.0.0:50061" in plan/peers.yaml; or reachability {place.site}: outbound, for all',
        )
        return
    silent = [
        peer
        for peer, address in peers.peers.items()
        if address is None and kind_of(table, peer) == DIRECT and transport_between(own, DIRECT, folder=folder) == GRPC
    ]
    if silent:
        cause = f"the plan says that {', '.join(silent)} can be called (direct), and plan/peers.yaml has no address"
        yield warning("reachability", cause, "ask for it and write it into plan/peers.yaml")
        return
    kinds = ", ".join(f"{site} {kind}" for site, kind in sorted(table.items()))
    yield ok("reachability", f"this site is {own}; {f'the plan says {kinds}' if kinds else 'all sites call each other'}")
