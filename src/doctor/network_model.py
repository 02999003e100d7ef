"""The network the plan names, and the weights it begins with."""

from collections.abc import Iterator

from src.doctor.finding import Finding, failed, ok
from src.doctor.shared_fact import Unavailable
from src.doctor.workplace import Workplace


def check_network(place: Workplace) -> Iterator[Finding]:
    """It can be built, and takes a patch of the plan."""
    place.config  # noqa: B018 - without a plan there is no network to look at
    try:
        runner = place.runner
    except Unavailable as missing:
        yield failed(
            "network", missing.__cause__, f"python -m src.plan_check {place.plan}; the coordinator corrects the plan for all"
        )
        return
    values = sum(tensor.numel() for tensor in runner.network.parameters())
    yield ok("network", f"{values:,} weights, architecture {runner.card().architecture_hash()[:12]}")


def check_first_weights(place: Workplace) -> Iterator[Finding]:
    """There, readable, and of this plan."""
    if not place.has_peers:
        return
    place.runner  # noqa: B018 - has a line of its own
    try:
        digest = place.initial_digest
    except Unavailable as missing:
        path = place.setting("collaborator.settings.init_state_path", str)
        fix = f"copy the coordinator's {path} here; they make it once with: fx plan initialize -p {place.plan}"
        yield failed("first weights", missing.__cause__ or missing, fix)
        return
    yield ok("first weights", f"digest {digest[:12]}, the same at every site")
