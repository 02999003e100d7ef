"""Numbers as they are read: rounded in the text, exact behind it, and a dash where there is none."""

import math
from collections.abc import Mapping

from experiments.report.blocks import DASH, Cell, Column
from experiments.results.wording import MINUS


def text(value: str | None) -> Cell:
    """A word; a dash without one."""
    return Cell(text=DASH if value is None else str(value), sort=None if value is None else str(value))


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> Cell:
    """A number with so many decimals; a dash where it is None, NaN or infinite."""
    return Cell(text=decimals(value, digits, signed=signed), sort=value if is_number(value) else None)


def estimate(row: Mapping | None, digits: int = 3, *, signed: bool = False) -> Cell:
    """The value of an ``Estimate`` with its interval where it has one."""
    if row is None or not is_number(row["value"]):
        return Cell(text=DASH)
    low, high = row.get("low"), row.get("high")
    shown = decimals(row["value"], digits, signed=signed)
    if not (is_number(low) and is_number(high)):
        return Cell(text=shown, sort=row["value"])
    return Cell(text=f"{shown} {interval(low, high, digits, signed=signed)}", sort=row["value"], bounds=(low, high))


def interval(low: float | None, high: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """``[low, high]``; a dash where one is missing."""
    if not (is_number(low) and is_number(high)):
        return DASH
    return f"[{decimals(low, digits, signed=signed)}, {decimals(high, digits, signed=signed)}]"


def p_value(value: float | None) -> Cell:
    """A p-value with three decimals, or as below 0.001."""
    if not is_number(value):
        return Cell(text=DASH)
    return Cell(text="< 0.001" if value < 0.001 else f"{value:.3f}", sort=value)


def scaled(value: float | None, unit: float, digits: int = 1) -> Cell:
    """A number in multiples of ``unit``, such as bytes in MB; sorted by the number as it is."""
    if not is_number(value):
        return Cell(text=DASH)
    return Cell(text=decimals(value / unit, digits), sort=value)


def decimals(value: float | None, digits: int, *, signed: bool = False) -> str:
    """A number as text, with a real minus sign; no ``−0.000``."""
    if not is_number(value):
        return DASH
    shown = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    if not any(letter in "123456789" for letter in shown):
        shown = shown.lstrip("+-")
    return shown.replace("-", MINUS).replace(",", " ")


def is_number(value: object) -> bool:
    """Whether there is a number: None, NaN and infinities are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def words(title: str, hint: str = "") -> Column:
    """A column of words."""
    return Column(title=title, numeric=False, hint=hint)


def numbers(title: str, hint: str = "") -> Column:
    """A column of numbers."""
    return Column(title=title, hint=hint)
