"""How measured numbers are told: the median, and how far the repeats lay apart."""

import statistics
from collections.abc import Sequence


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median, least and greatest."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def ratios(values: Sequence[float], references: Sequence[float]) -> list[float]:
    """Pair by pair: what was measured one after the other had the same machine."""
    return [value / reference for value, reference in zip(values, references, strict=True)]
