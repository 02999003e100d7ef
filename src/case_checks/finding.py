"""One thing that a check found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a check found.

    Attributes:
        severity: ``refused``, it would spoil a training; or ``warning``, a person should look.
        case: pseudonym, or None for the dataset as a whole.
        what: what was found and what to do, the same words for the same thing in every case, so that cases can be grouped.
    """

    severity: Literal["refused", "warning"]
    case: str | None
    what: str


def refused(case: str | None, what: str) -> Finding:
    """A finding that would spoil a training."""
    return Finding(severity="refused", case=case, what=what)


def warning(case: str | None, what: str) -> Finding:
    """A finding that a person should look at."""
    return Finding(severity="warning", case=case, what=what)
