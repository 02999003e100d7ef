"""The plan a one-machine federation runs: one of plan/plans, a few settings changed, made before its hash is taken."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from difflib import get_close_matches
from pathlib import Path

import yaml

from experiments.federation.template import REPOSITORY
from src.errors import PlanSettingError
from src.peer_plan import is_peer_plan

PLANS = REPOSITORY / "plan" / "plans"


def read_plan(name: str, folder: Path = PLANS) -> dict:
    """A plan by its name, ``<scheme>_<anatomy>``.

    Raises:
        PlanSettingError: there is none of that name.
    """
    path = folder / name / "plan.yaml"
    if not name or not path.is_file():
        known = ", ".join(sorted(entry.parent.name for entry in folder.glob("*/plan.yaml")))
        raise PlanSettingError(f"expected a plan of plan/plans, found '{name}'; there are {known}")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def change_plan(plan: dict, changes: Sequence[str]) -> None:
    """Applies ``section.key.key=value`` changes to a plan in place; values are YAML.

    Only what is there can be changed, because plans are written out in full and a mistyped key would change nothing.

    Raises:
        PlanSettingError: a change that is none, or a key that the plan does not have.
    """
    for change in changes:
        dotted, separator, text = change.partition("=")
        if not separator:
            raise PlanSettingError(f"expected section.settings.key=value, found '{change}'")
        *above, last = dotted.strip().split(".")
        section = plan
        for depth, key in enumerate(above):
            section = _child(section, key, ".".join(above[: depth + 1]))
        _child(section, last, dotted)
        section[last] = yaml.safe_load(text)


def set_rounds(plan: dict, rounds: int) -> None:
    """Sets the rounds of training, and lets the learning rate decay over them."""
    if is_peer_plan(plan):
        plan["collaborator"]["settings"]["rounds"] = plan["aggregator"]["settings"]["rounds_to_train"] = rounds
    else:
        # The closing validation counts as a round of its own.
        plan["aggregator"]["settings"]["rounds_to_train"] = rounds + 1
    plan["task_runner"]["settings"]["schedule_rounds"] = rounds


def free_ports(count: int) -> list[int]:
    """TCP ports of this machine, all different, that nobody listens on at this moment."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("localhost", 0))
        return [probe.getsockname()[1] for probe in sockets]


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections at a TCP port of this machine."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


def plan_bytes(plan: dict) -> bytes:
    """The plan as every workspace gets it, byte for byte: what differs makes another federation."""
    return yaml.safe_dump(plan, sort_keys=False, allow_unicode=True).encode()


def _child(section: object, key: str, dotted: str) -> object:
    if not isinstance(section, dict) or key not in section:
        known = list(section) if isinstance(section, dict) else []
        near = get_close_matches(key, [str(entry) for entry in known], n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(map(str, known)) or 'no settings below it'}"
        raise PlanSettingError(f"the plan has no '{dotted}'; {hint}")
    return section[key]
