"""What every refusal must be, since it is logged, counted, and sent over the wire."""

import re

_REASON = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def check_refusal(refused: Exception) -> None:
    """A short printable sentence, and a reason that is one of the words counted."""
    said = str(refused)
    assert _REASON.fullmatch(refused.reason), f"reason {refused.reason!r:.80}"
    check_sentence(said)


def check_sentence(said: str) -> None:
    """A sentence that can stand in a log."""
    assert 0 < len(said) < 2000 and said.isprintable(), f"not fit for a log: {said!r:.200}"
