"""One colour and one marker for each arm, the same in every figure and every report.

The colour says which kind of plan an arm is of, the marker which arm of that kind; both are told apart by colour-blind readers.

Source: Okabe and Ito, Color Universal Design, 2008 (https://jfly.uni-koeln.de/color/); their yellow is left out, it is not seen
on white.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_COLOURS = {
    "individual": "#E69F00",
    "pooled": "#000000",
    "fedavg": "#0072B2",
    "fedprox": "#56B4E9",
    "cyclic": "#CC79A7",
    "gossip": "#D55E00",
}
OTHER_COLOUR = "#009E73"
_BASE, _LOCAL, _CONSENSUS = "o", "s", "D"
_FURTHER = ("^", "v", "P", "X", "<", ">", "p", "h", "8", "d", "H", "*")


@dataclass(frozen=True)
class Look:
    """How an arm is drawn: hex colour and matplotlib marker."""

    colour: str
    marker: str


def looks_of(results: Mapping) -> dict[str, Look]:
    """The look of every arm of a study, by name and in the order of the arms.

    Args:
        results: ``arms`` and ``study`` are used.

    Returns:
        No two arms have the same look as long as a kind of plan has fewer than 15 arms.
    """
    taken: dict[str, int] = {}
    looks = {}
    for arm in results["arms"]:
        kind = kind_of(results, arm["scheme"])
        marker = {kind: _BASE, f"{kind}_local": _LOCAL, f"{kind}_consensus": _CONSENSUS}.get(arm["name"])
        if marker is None:
            marker = _FURTHER[taken.get(kind, 0) % len(_FURTHER)]
            taken[kind] = taken.get(kind, 0) + 1
        looks[arm["name"]] = Look(_COLOURS.get(kind, OTHER_COLOUR), marker)
    return looks


def kind_of(results: Mapping, scheme: str) -> str:
    """The plan that a scheme changes, such as ``gossip``; the scheme's own name where the study does not say."""
    settings = (results["study"].get("schemes") or {}).get(scheme) or {}
    return settings.get("plan", scheme)
