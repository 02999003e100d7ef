"""Values of a study file, each of the kind it must be, or refused in words that say what was expected."""

import re
from collections.abc import Collection, Mapping, Sequence

from src.errors import PlanSettingError
from src.plan_signature import check_keys
from src.setting_range import check_number, check_whole

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
# A learning rate beyond these is a slip of the pen.
_LOWEST_RATE, _HIGHEST_RATE = 1e-8, 1.0


def read_keys(where: str, content: object, required: Collection[str], optional: Collection[str]) -> Mapping:
    """A mapping that has all of ``required`` and nothing beyond ``optional``.

    Raises:
        PlanSettingError: naming the key.
    """
    check_keys(where, content, (*required, *optional))
    if missing := [key for key in required if key not in content]:
        raise PlanSettingError(f"{where}: expected '{missing[0]}', found {', '.join(map(str, content)) or 'nothing'}")
    return content


def read_text(where: str, value: object, known: Sequence[str] | None = None) -> str:
    """A text, of ``known`` where given."""
    if not isinstance(value, str) or not value or (known is not None and value not in known):
        expected = "a text" if known is None else f"one of {', '.join(known)}"
        raise PlanSettingError(f"{where}: expected {expected}, found {value!r}")
    return value


def read_flag(where: str, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise PlanSettingError(f"{where}: expected true or false, found {value!r}")
    return value


def whole_of(where: str, value: object, lowest: int, highest: int | None = None) -> int:
    """A whole number within bounds, both included."""
    check_whole(where, value, lowest)
    if highest is not None and value > highest:
        raise PlanSettingError(f"{where}: expected a whole number from {lowest} to {highest}, found {value}")
    return value


def wholes_of(where: str, value: object) -> tuple[int, ...]:
    """Different whole numbers of at least 0, in the order given; may be none."""
    return tuple(check_whole(where, entry, 0) for entry in _different(where, value))


def numbers_of(where: str, value: object) -> tuple[float, ...]:
    """Different learning rates, sorted; at least one."""
    values = tuple(sorted(check_number(where, entry, _LOWEST_RATE, _HIGHEST_RATE) for entry in _different(where, value)))
    if not values:
        raise PlanSettingError(f"{where}: expected at least one value, found none")
    return values


def names_of(where: str, value: object, *, any_text: bool = False) -> tuple[str, ...]:
    """Different texts in the order given: names of lower-case letters, digits, _ and -, or any text."""
    values = _different(where, value)
    for entry in values:
        if not isinstance(entry, str) or not (any_text or _NAME.fullmatch(entry)):
            expected = "a text" if any_text else "a name of lower-case letters, digits, _ and -"
            raise PlanSettingError(f"{where}: expected {expected}, found {entry!r}")
    return tuple(values)


def read_rows(where: str, value: object, length: int) -> tuple[tuple[str, ...], ...]:
    """Lists of so many names each."""
    rows = tuple(names_of(where, row) for row in _different(where, value))
    if wrong := [row for row in rows if len(row) != length]:
        raise PlanSettingError(f"{where}: expected {length} names in each, found {list(wrong[0])}")
    return rows


def _different(where: str, value: object) -> list:
    if not isinstance(value, list):
        raise PlanSettingError(f"{where}: expected a list, as in [a, b], found {value!r}")
    for number, entry in enumerate(value):
        if entry in value[:number]:
            raise PlanSettingError(f"{where}: expected each once, found {entry!r} twice")
    return value
