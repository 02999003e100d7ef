"""One Dice per structure for a whole federation, and one number to choose the best model by.

Per structure, the sites' means are weighted with their cases, so each validation case counts once wherever it lies; the
structures then count alike, so a chiasm weighs as much as a liver. A site without a case of a structure has no say in it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FederationDice:
    """Dice of one model over all sites.

    Attributes:
        mean: over the structures that have a Dice; NaN when none has.
        by_structure: in channel order; NaN where no site has a case.
    """

    mean: float
    by_structure: dict[str, float]

    @property
    def num_scored(self) -> int:
        """Structures that have a Dice."""
        return sum(not math.isnan(value) for value in self.by_structure.values())

    def better_than(self, other: "FederationDice | None") -> bool:
        """Whether to prefer this model: more structures scored first, since means over different ones do not compare."""
        if other is None:
            return self.num_scored > 0
        return (self.num_scored, self.mean) > (other.num_scored, other.mean)


def federation_dice(metrics: Mapping[str, Mapping[str, float]]) -> FederationDice:
    """Joins what the sites sent in a validation.

    Args:
        metrics: by site, values by metric name: ``dice/<channel>/<structure>`` (NaN without a case) and
            ``valid_cases/<channel>/<structure>``; other names are ignored.

    Returns:
        The federation's Dice; the same bits whatever the order of the sites.
    """
    keys = sorted({name.removeprefix("dice/") for site in metrics.values() for name in site if name.startswith("dice/")})
    by_structure = {}
    for key in keys:
        pairs = [(site.get(f"dice/{key}", math.nan), site.get(f"valid_cases/{key}", 0.0)) for site in metrics.values()]
        scored = [(dice, cases) for dice, cases in pairs if cases > 0 and not math.isnan(dice)]
        cases = math.fsum(cases for _, cases in scored)
        by_structure[key.split("/", 1)[1]] = math.fsum(dice * n for dice, n in scored) / cases if cases else math.nan
    values = [value for value in by_structure.values() if not math.isnan(value)]
    return FederationDice(mean=math.fsum(values) / len(values) if values else math.nan, by_structure=by_structure)
