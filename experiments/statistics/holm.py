"""Holm's correction: the chance that even one of several true nulls is rejected stays below the level."""

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values: reject those below the level, whatever the dependence between the tests.

    The i-th smallest of m is multiplied by m − i + 1; none is smaller than one before it, none larger than 1.

    Args:
        p_values: None for what was not tested, which is not one of the m.

    Returns:
        In the order of ``p_values``; None where it was None.

    Source: Holm, Scand J Statist 6:65, 1979.
    """
    adjusted: list[float | None] = [None] * len(p_values)
    tested = sorted((p_value, index) for index, p_value in enumerate(p_values) if p_value is not None)
    largest = 0.0
    for done, (p_value, index) in enumerate(tested):
        largest = max(largest, min(1.0, p_value * (len(tested) - done)))
        adjusted[index] = largest
    return adjusted
