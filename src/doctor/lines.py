"""The answer for people: colours on a terminal, plain lines elsewhere; a line for each check, its fix below it."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from src.doctor.finding import Finding, Level

_STYLES = {Level.OK: "green", Level.NOT_CHECKED: "dim", Level.WARNING: "bold yellow", Level.FAILED: "bold red"}
_LEVEL_WIDTH = max(len(level.value) for level in Level)
_CHECK_WIDTH = 16


def show(console: Console, finding: Finding) -> None:
    """Prints one finding; a plain line holds cause and fix together, so that ``grep failed`` shows both."""
    head = Text(f"{finding.level.value:<{_LEVEL_WIDTH}}  ", style=_STYLES[finding.level])
    head.append(f"{finding.check:<{_CHECK_WIDTH}}  ", style="bold")
    head.append(finding.cause, style="default")
    if console.is_terminal and finding.fix:
        head.append("\n")
        head.append(" " * (_LEVEL_WIDTH + 2) + f"→ {finding.fix}", style="cyan")
    elif finding.fix:
        head.append(f" → {finding.fix}")
    # Unbroken: a command that a line break went through cannot be copied.
    console.print(head, soft_wrap=True, highlight=False)


def summary(findings: Sequence[Finding]) -> str:
    """How many of each, the worst first."""
    counts = {level: sum(finding.level is level for finding in findings) for level in reversed(Level)}
    return ", ".join(f"{count} {level.value}" for level, count in counts.items() if count)
