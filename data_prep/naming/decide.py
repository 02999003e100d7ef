"""A native name -> what is decided of it."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache

from data_prep.naming.decision import Confidence, NameDecision
from data_prep.naming.doubles import refuse_doubles
from data_prep.naming.judgement import Judgement, judge
from data_prep.naming.planning import marked_as_planning
from data_prep.naming.reading import readings_of
from data_prep.naming.spelling import MAX_LETTERS, letters, own_name, tokens
from data_prep.naming.vocabulary import sides_of, tg263_names, vocabulary
from src.data.structures import load_structures

NEAR = 0.8  # how alike two spellings are, of 1, for one to be suggested; nothing is decided by it
MAX_CHARACTERS = 1024  # DICOM allows 64
MIN_TOKEN = 3  # letters of a word that may speak for itself among unknown ones


def decide_names(
    natives: Sequence[str], anatomy: str, names: Mapping[str, str | None], *, drawn: Sequence[bool] | None = None
) -> list[NameDecision]:
    """Decides all names of one structure set.

    Args:
        natives: its ROI names, without anything that identifies a patient; a name may stand twice.
        anatomy: one of ``ANATOMIES``.
        names: what ``read_names`` gave.
        drawn: which of them have contours; None: all. One without (a template's ROI that nobody drew) is no rival of another.

    Returns:
        One decision per name, in the same order; no structure stands in two of those that are drawn.
    """
    decisions = [decide_name(native, anatomy, names) for native in natives]
    return refuse_doubles(decisions, [True] * len(decisions) if drawn is None else drawn)


def decide_name(native: str, anatomy: str, names: Mapping[str, str | None]) -> NameDecision:
    """Decides one name by itself: the site's own file, then the table, then words, and never a guess."""
    if own_name(native) in names:
        return _overridden(native, names[own_name(native)], anatomy)
    if len(native) > MAX_CHARACTERS:
        return NameDecision(native=native, structure=None, confidence="unknown", why="it is too long for a name")
    if found := None if native.lstrip().startswith("_") else _by_letters().get(letters(native)):
        structure, exact = found
        why = f"the TG-263 name {structure}" if exact else f"a synonym of {structure} in plan/structures.yaml"
        return _mapped(native, structure, anatomy, "exact" if exact else "synonym", why)
    if why := marked_as_planning(native):
        return NameDecision(native=native, structure=None, confidence="planning", why=why)
    judgement = _by_words(native, anatomy) or _by_some_words(native, anatomy) or _by_likeness(native, anatomy)
    return NameDecision(
        native=native,
        structure=judgement.structure,
        confidence=judgement.confidence,
        suggested=judgement.suggested,
        why=judgement.why,
    )


def _overridden(native: str, structure: str | None, anatomy: str) -> NameDecision:
    if structure is None:
        return NameDecision(native=native, structure=None, confidence="override", why="names.csv leaves it out")
    return _mapped(native, structure, anatomy, "override", f"names.csv says {structure}")


def _mapped(native: str, structure: str, anatomy: str, confidence: Confidence, why: str) -> NameDecision:
    if anatomy in load_structures()[structure].anatomies:
        return NameDecision(native=native, structure=structure, confidence=confidence, why=why)
    return NameDecision(native=native, structure=None, confidence="other_anatomy", why=f"{structure} is not of this anatomy")


def _by_words(native: str, anatomy: str) -> Judgement | None:
    """What all words of a name say together; None when some of them are unknown or none speaks of an organ."""
    if letters(native) in tg263_names() and letters(native) not in vocabulary():
        return Judgement(confidence="other_anatomy", why="a TG-263 name that plan/structures.yaml lacks")
    found = {judge(reading, anatomy) for reading in readings_of(native)} - {Judgement(confidence=None)}
    if len(found) < 2:
        return next(iter(found), None)
    meant = tuple(sorted({name for each in found for name in (each.structure, *each.suggested) if name}))
    if meant:
        return Judgement(confidence="ambiguous", suggested=meant, why="the name can be read in more than one way")
    return min(found, key=lambda each: (each.confidence, each.why))


def _by_some_words(native: str, anatomy: str) -> Judgement | None:
    """What the known words of a name say beside unknown ones: enough to leave it out or to suggest, never to map."""
    found = tokens(native)
    readings = [reading for token in found for reading in readings_of(token) if len(token) >= MIN_TOKEN or _is_side(reading)]
    if len(found) > 1 and any(meaning.kind == "leading" for reading in readings_of(found[0]) for meaning in reading):
        readings.extend(readings_of(found[0]))
    judged = judge(frozenset().union(*readings), anatomy) if readings else Judgement(confidence=None)
    if judged.confidence == "rewritten":
        return Judgement(confidence="suggestion", suggested=(judged.structure,), why="a word of it is unknown")
    return judged if judged.confidence else None


def _is_side(reading: frozenset) -> bool:
    return bool(reading) and all(meaning.kind == "side" for meaning in reading)


def _by_likeness(native: str, anatomy: str) -> Judgement:
    near = get_close_matches(letters(native)[:MAX_LETTERS], _spellings(anatomy), n=3, cutoff=NEAR)
    suggested = tuple(dict.fromkeys(name for spelling in near for name in _spellings(anatomy)[spelling]))
    if suggested:
        return Judgement(confidence="suggestion", suggested=suggested, why="it is spelled nearly like the suggested one")
    return Judgement(confidence="unknown", why="no word of it is known")


@lru_cache(maxsize=1)
def _by_letters() -> dict[str, tuple[str, bool]]:
    """Letters of a spelling of plan/structures.yaml -> its structure, and whether it is the TG-263 name itself."""
    found = {letters(word): (structure.name, False) for structure in load_structures() for word in structure.synonyms}
    return found | {letters(structure.name): (structure.name, True) for structure in load_structures()}


@lru_cache(maxsize=2)
def _spellings(anatomy: str) -> dict[str, tuple[str, ...]]:
    """Every spelling that likeness may suggest -> its structures of one anatomy."""
    table = load_structures()
    known = {spelling: (name,) for spelling, (name, _) in _by_letters().items()}
    for word, meanings in vocabulary().items():
        for organ in (meaning for meaning in meanings if meaning.kind == "organ"):
            known.setdefault(word, sides_of()[organ.value])
    return {word: names for word, names in known.items() if anatomy in table[names[0]].anatomies}
