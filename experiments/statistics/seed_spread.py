"""How far a scheme's mean moves when only the seed changes, shown apart from what the patients' variation does."""

import statistics
from dataclasses import dataclass

from experiments.statistics.averages import Weighting
from experiments.statistics.estimate import observed
from experiments.statistics.study import Study


@dataclass(frozen=True, kw_only=True)
class SeedSpread:
    """Of one scheme.

    Attributes:
        scheme, weighting: whose mean, and which.
        means: by seed; None where nothing is scored.
        standard_deviation: between the seeds' means, with n − 1; None with fewer than two.
    """

    scheme: str
    weighting: Weighting
    means: dict[int, float | None]
    standard_deviation: float | None


def seed_spread(study: Study, scheme: str, weighting: Weighting = "macro") -> SeedSpread:
    """The mean over the same patients, seed by seed."""
    means = {seed: observed(study.series(scheme, seed), weighting) for seed in study.seeds[scheme]}
    present = [mean for mean in means.values() if mean is not None]
    return SeedSpread(
        scheme=scheme,
        weighting=weighting,
        means=means,
        standard_deviation=statistics.stdev(present) if len(present) > 1 else None,
    )
