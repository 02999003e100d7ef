"""One line of the doctor's answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

# 2 is a mistyped command and 3 to 11 are how a run ends, see src/errors.py.
ALL_WELL, SOMETHING_FAILED, WARNINGS_ALONE = 0, 1, 12


class Level(str, Enum):
    """How bad it is."""

    OK = "ok"
    NOT_CHECKED = "not checked"  # because of something else that failed and has a line of its own
    WARNING = "warning"  # a run can begin, and may be worse than it could be
    FAILED = "failed"  # a run does not begin, or does not get far


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found.

    Attributes:
        check: its name.
        level: see ``Level``.
        cause: what was found, in one line.
        fix: what to type or do; empty when there is nothing to do.
    """

    check: str
    level: Level
    cause: str
    fix: str = ""


def ok(check: str, cause: str) -> Finding:
    """Nothing to do."""
    return Finding(check=check, level=Level.OK, cause=cause)


def warning(check: str, cause: str, fix: str) -> Finding:
    """A run can begin."""
    return Finding(check=check, level=Level.WARNING, cause=one_line(cause), fix=fix)


def failed(check: str, cause: object, fix: str) -> Finding:
    """A run must not begin; ``cause`` may be an exception."""
    return Finding(check=check, level=Level.FAILED, cause=one_line(cause), fix=fix)


def not_checked(check: str, needs: str) -> Finding:
    """Something else must be put right first."""
    return Finding(check=check, level=Level.NOT_CHECKED, cause=f"needs {needs}")


def exit_code(findings: Iterable[Finding]) -> int:
    """What the command ends with: that of the worst finding."""
    levels = {finding.level for finding in findings}
    if Level.FAILED in levels:
        return SOMETHING_FAILED
    return WARNINGS_ALONE if Level.WARNING in levels or Level.NOT_CHECKED in levels else ALL_WELL


def one_line(text: object) -> str:
    """A text without line breaks and what else a terminal would act on."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())
