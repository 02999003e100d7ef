"""Which of the models a site holds after an exchange goes on: what the rule left, or the best on its own validation patients.

The published gossip mutual learning does not say which of the two trained models the receiver keeps (arXiv:2401.06180,
2401.15434, 2503.03883); Def-KT keeps the incoming one (arXiv:2012.13063). ``best`` lets the patients decide, at the price of a
validation per candidate.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from src.evaluation.dice import StructureDice, macro_mean


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model that may go on.

    Attributes:
        name: ``own``, ``peer`` or ``average``.
        tensors: by name.
        rows_C: cases behind each output row.
    """

    name: str
    tensors: dict[str, np.ndarray]
    rows_C: np.ndarray


def choose_survivor(
    candidates: Sequence[Candidate], validate: Callable[[Candidate], dict[str, StructureDice]]
) -> tuple[Candidate, dict[str, float]]:
    """The candidate with the highest mean Dice over the structures that all of them have a Dice for.

    Args:
        candidates: at least one; of equals the first stays.
        validate: Dice per structure of a candidate on the site's validation cases.

    Returns:
        The candidate, and the mean Dice of each by name; the first, with NaN, when no structure has a case.
    """
    found = {candidate.name: validate(candidate) for candidate in candidates}
    shared = set.intersection(*({name for name, entry in dice.items() if entry.num_scored} for dice in found.values()))
    means = {
        name: macro_mean({structure: entry for structure, entry in dice.items() if structure in shared})
        for name, dice in found.items()
    }
    best = max(candidates, key=lambda candidate: means[candidate.name]) if shared else candidates[0]
    return best, means
