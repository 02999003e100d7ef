"""``plan/peers.yaml``: every other site has its line."""

from collections.abc import Iterator

from src.doctor.finding import Finding, failed, ok
from src.doctor.shared_fact import Unavailable
from src.doctor.workplace import Workplace


def check_addresses(place: Workplace) -> Iterator[Finding]:
    """Readable, complete, nobody in it that the plan does not know."""
    if not place.exchanges:
        return
    roster = place.roster
    try:
        peers = place.peers
    except Unavailable as missing:
        others = "; ".join(f'{name}: "<host>:50061"' for name in roster if name != place.site)
        path = place.setting("collaborator.settings.peers_path", str)
        yield failed("addresses", missing.__cause__, f"nano {path}; its peers: {others}")
        return
    called = sum(address is not None for address in peers.peers.values())
    yield ok("addresses", f"{called} of {len(peers.peers)} other sites have one; epoch {peers.epoch}")
