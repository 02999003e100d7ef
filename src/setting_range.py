"""Refuses a plan's number that is none, or is out of range; one wording for every section."""

import math

from src.errors import PlanSettingError


def check_whole(where: str, value: object, lowest: int) -> int:
    """A whole number of at least ``lowest``; True and False are none.

    Args:
        where: section and setting, for the message.

    Raises:
        PlanSettingError: it is something else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
        raise PlanSettingError(f"{where}: expected a whole number of at least {lowest}, found {value!r}")
    return value


def check_number(where: str, value: object, lowest: float, highest: float = math.inf) -> float:
    """A number within bounds, both included; True, False and NaN are none.

    Args:
        where: section and setting, for the message.

    Raises:
        PlanSettingError: it is something else.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not lowest <= value <= highest:
        bounds = f"from {lowest} to {highest}" if highest < math.inf else f"of at least {lowest}"
        raise PlanSettingError(f"{where}: expected a number {bounds}, found {value!r}")
    return float(value)
