"""Text from an export made safe to look at: a name of an ROI may hold anything."""

import unicodedata

LONGEST = 300


def printable(text: str) -> str:
    """Text on one line in which nothing acts: control and direction characters become visible signs, a long text is cut.

    A line break becomes ``␊``, an escape ``␛``, a right-to-left override ``⟨U+202E⟩``; half a surrogate pair, which no file can
    hold, becomes its number too.
    """
    shown = "".join(_sign(letter) for letter in text[:LONGEST])
    return shown if len(text) <= LONGEST else shown + "…"


def shortened(text: str, longest: int) -> str:
    """At most ``longest`` letters of a text, cut between words where it has any."""
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    blank = cut.rfind(" ")
    return (cut[:blank] if blank > longest // 2 else cut) + "…"


def volume_text(cm3: float | None) -> str:
    """A volume with three digits or so; a dash without one."""
    if cm3 is None:
        return "–"
    return f"{cm3:.0f}" if cm3 >= 100 else f"{cm3:.1f}" if cm3 >= 10 else f"{cm3:.2f}"


def _sign(letter: str) -> str:
    code = ord(letter)
    if code < 0x20:
        return chr(0x2400 + code)
    if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return f"⟨U+{code:04X}⟩"
    return letter
