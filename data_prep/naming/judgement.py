"""What one way of reading a name amounts to."""

from dataclasses import dataclass
from typing import Literal

from data_prep.naming.reading import Reading
from data_prep.naming.vocabulary import Meaning, sides_of
from src.data.structures import load_structures

OPTIC = {"OpticNrv", "OpticChiasm"}
OPTIMISATION = "a helper of planning"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What one reading amounts to; the fields are those of ``NameDecision`` without the name.

    ``confidence`` None: the words say nothing about an organ.
    """

    confidence: Literal["rewritten", "planning", "other_anatomy", "ambiguous", "suggestion"] | None
    structure: str | None = None
    suggested: tuple[str, ...] = ()
    why: str = ""


def judge(reading: Reading, anatomy: str) -> Judgement:
    """What a reading amounts to in one anatomy's plans; never a side that the words do not say."""
    organs = [meaning for meaning in sorted(reading, key=repr) if meaning.kind in ("organ", "plural", "unsure", "other")]
    bases = _bases(organs)
    if any(meaning.kind == "leading" for meaning in reading):
        return Judgement(confidence="planning", why="it begins with the letter that sorts planning structures away from organs")
    if reasons := [meaning.value for meaning in sorted(reading, key=repr) if meaning.kind == "planning"]:
        return _of_planning(reasons[0], bases, anatomy)
    if not organs:
        return Judgement(confidence=None)
    candidates = in_anatomy(bases, anatomy)
    if not candidates:
        return Judgement(confidence="other_anatomy", why=_why_not_used(organs, bases))
    if len(organs) > 1:
        return Judgement(confidence="ambiguous", suggested=candidates, why="the name speaks of more than one organ")
    if organs[0].kind == "unsure":
        return Judgement(
            confidence="ambiguous", suggested=_on_side(candidates, reading), why="the word does not settle which organ"
        )
    return _of_one_organ(organs[0], candidates, reading)


def in_anatomy(bases: tuple[str, ...], anatomy: str) -> tuple[str, ...]:
    """The structures of organs without their side that one anatomy's plans may use."""
    table = load_structures()
    return tuple(name for base in bases for name in sides_of()[base] if anatomy in table[name].anatomies)


def _of_one_organ(organ: Meaning, candidates: tuple[str, ...], reading: Reading) -> Judgement:
    sides = _sides(organ, reading)
    both = organ.kind == "plural" or any(meaning.kind == "both" for meaning in reading)
    if number := next((meaning.value for meaning in reading if meaning.kind == "number"), None):
        why = f"the number {number} may be a margin, a dose or a version"
        return Judgement(confidence="suggestion", suggested=_on_side(candidates, reading), why=why)
    if len(candidates) == 1:
        if sides or both:
            why = f"{candidates[0]} has no sides, so this may be a part of it"
            return Judgement(confidence="suggestion", suggested=candidates, why=why)
        return Judgement(confidence="rewritten", structure=candidates[0], why=f"another way to write {candidates[0]}")
    if sides in ({"L"}, {"R"}) and not both:
        structure = next(name for name in candidates if name.endswith(f"_{min(sides)}"))
        return Judgement(confidence="rewritten", structure=structure, why=f"another way to write {structure}")
    if both and not sides:
        return Judgement(confidence="other_anatomy", why="both sides in one contour, which is neither of the two structures")
    why = "the name does not say which side" if not sides else "the name does not say clearly which side"
    return Judgement(confidence="ambiguous", suggested=candidates, why=why)


def _of_planning(reason: str, bases: tuple[str, ...], anatomy: str) -> Judgement:
    if reason == OPTIMISATION and (optic := in_anatomy(tuple(base for base in bases if base in OPTIC), anatomy)):
        return Judgement(confidence="ambiguous", suggested=optic, why="'opt' may mean opticus, or a helper of the optimisation")
    return Judgement(confidence="planning", why=f"it is {reason}")


def _why_not_used(organs: list[Meaning], bases: tuple[str, ...]) -> str:
    named = [sides_of()[base][0] for base in bases]
    if organs[0].kind == "other" or len(bases) > 1:
        return "an organ that no plan of this anatomy uses"
    return f"{named[0]} is not of this anatomy" if len(sides_of()[bases[0]]) == 1 else f"{bases[0]} is not of this anatomy"


def _sides(organ: Meaning, reading: Reading) -> set[str]:
    """The sides that a reading names; one of another language than the organ's is no known side."""
    found = set()
    for meaning in reading:
        if meaning.kind == "side":
            fits = not meaning.languages or organ.languages & meaning.languages
            found.add(meaning.value if fits else "unknown")
    return found


def _on_side(candidates: tuple[str, ...], reading: Reading) -> tuple[str, ...]:
    """The candidates of the side that a reading names, all of them when it names none or two."""
    sides = {meaning.value for meaning in reading if meaning.kind == "side"}
    chosen = tuple(name for name in candidates if len(sides) == 1 and name.endswith(f"_{min(sides)}"))
    return chosen or candidates


def _bases(organs: list[Meaning]) -> tuple[str, ...]:
    found = [base for meaning in organs for base in (meaning.candidates or ((meaning.value,) if meaning.value else ()))]
    return tuple(dict.fromkeys(found))
