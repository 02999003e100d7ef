"""What was decided of one native name, and how sure that is."""

from dataclasses import dataclass
from typing import Literal

Confidence = Literal[
    "override", "exact", "synonym", "rewritten", "planning", "other_anatomy", "ambiguous", "suggestion", "unknown"
]


@dataclass(frozen=True, kw_only=True)
class NameDecision:
    """What was decided of one native name.

    Attributes:
        native: the site's own name, without anything that identifies a patient.
        structure: TG-263 name it is converted to, or None when it is left out.
        confidence: how sure that is:
            ``override``, the site's names.csv says so (also when it says: leave out);
            ``exact``, it is the TG-263 name but for case, blanks and separators;
            ``synonym``, it stands in plan/structures.yaml;
            ``rewritten``, it is one of those once side words, word order and other languages are normalised: one reading only;
            ``planning``, no organ: a target, margin, ring, helper or couch; left out;
            ``other_anatomy``, an organ that this anatomy's plans do not use, or a TG-263 name that plan/structures.yaml lacks;
            ``ambiguous``, it could be more than one; left out until names.csv decides;
            ``suggestion``, it looks like ``suggested``; left out until names.csv decides;
            ``unknown``, nobody knows it; left out until names.csv decides.
        suggested: for ``ambiguous`` and ``suggestion`` the candidates, best first; otherwise empty.
        why: one plain sentence.
    """

    native: str
    structure: str | None
    confidence: Confidence
    suggested: tuple[str, ...] = ()
    why: str

    @property
    def open(self) -> bool:
        """Whether a person has to decide."""
        return self.confidence in ("ambiguous", "suggestion", "unknown")
