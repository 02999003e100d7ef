"""Every word that a name may be made of, and what it means there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from data_prep.naming.spelling import letters, spellings
from data_prep.naming.tables import listed_names, name_words
from src.data.structures import load_structures
from src.errors import StructureError

MIN_LETTERS_INSIDE = 4  # shorter TG-263 names ("VB", "Rib") count as whole names only, not as a word of another one
_SPOKEN_WITH_ENGLISH = frozenset({"en", "la"})


@dataclass(frozen=True)
class Meaning:
    """What one word says.

    Attributes:
        kind: ``organ`` and ``plural`` (one, both of a pair; value: TG-263 name without the side), ``unsure`` (an organ that the
            word does not settle), ``other`` (an organ no plan uses), ``side`` (value: L, R or unknown), ``both``, ``planning``
            (value: why the contour is no organ's), ``leading`` (the same, at the beginning alone), ``harmless`` or ``number``.
        value: see kind; "" where there is nothing to say.
        languages: of an organ word, those it belongs to; of a side word, those it is limited to (empty: none).
        candidates: of ``unsure``, the organs it may be, without the side.
    """

    kind: Literal["organ", "plural", "unsure", "other", "side", "both", "planning", "leading", "harmless", "number"]
    value: str = ""
    languages: frozenset[str] = frozenset()
    candidates: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def sides_of() -> dict[str, tuple[str, ...]]:
    """Organ without its side -> its structures: (left, right) of a pair, else the one."""
    found: dict[str, tuple[str, ...]] = {}
    for structure in load_structures():
        base = structure.name[:-2] if structure.partner else structure.name
        found[base] = (*found.get(base, ()), structure.name)
    return {base: tuple(sorted(names)) for base, names in found.items()}


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, tuple[Meaning, ...]]:
    """Letters of a word or phrase -> what it can mean.

    Raises:
        StructureError: maps/name_words.yaml names an organ that plan/structures.yaml lacks, or gives one word to two organs.
    """
    words: dict[str, set[Meaning]] = {}
    for spelling, meaning in _own_words(name_words()):
        words.setdefault(spelling, set()).add(meaning)
    for name in tg263_names():
        if len(name) >= MIN_LETTERS_INSIDE:
            words.setdefault(name, {Meaning("other")})
    return {spelling: tuple(_merged(spelling, meanings)) for spelling, meanings in words.items() if spelling}


@lru_cache(maxsize=1)
def tg263_names() -> frozenset[str]:
    """The letters of every TG-263 name, in both word orders, with and without its side, that plan/structures.yaml lacks."""
    known = {letters(name) for base, names in sides_of().items() for name in (base, *names)}
    found: set[str] = set()
    for row in listed_names():
        reverse = row["reverse_order_name"]
        found |= {letters(name) for name in (row["name"], row["name"].removesuffix("_L").removesuffix("_R"), reverse)}
        if reverse.startswith(("L_", "R_")):
            found.add(letters(reverse[2:]))
    table = load_structures()
    return frozenset(name for name in found - known if name and not table.match(name))


def _own_words(content: Mapping) -> Iterator[tuple[str, Meaning]]:
    for base, names in sides_of().items():
        unsided = load_structures()[names[0]].synonyms if len(names) == 1 else ()
        yield from _each([base, *unsided], Meaning("organ", base, _SPOKEN_WITH_ENGLISH))
    for base, by_language in content["organs"].items():
        for language, listed in by_language.items():
            yield from _each(listed, Meaning("organ", _known(base), frozenset({language})))
    for side, by_language in content["sides"].items():
        for language, listed in by_language.items():
            yield from _each(listed, Meaning("side", side, frozenset() if language == "any" else frozenset({language})))
    for base, listed in content["plurals"].items():
        yield from _each(listed, Meaning("plural", _known(base)))
    for word, candidates in content["unsure"].items():
        yield from _each([word], Meaning("unsure", candidates=tuple(map(_known, candidates))))
    for why, listed in content["planning"].items():
        yield from _each(listed, Meaning("planning", why))
    yield from _each(content["leading"], Meaning("leading"))
    for kind, listed in (("both", content["both"]), ("harmless", content["harmless"]), ("other", content["others"])):
        yield from _each(listed, Meaning(kind))


def _each(listed: list[str], meaning: Meaning) -> Iterator[tuple[str, Meaning]]:
    return ((spelling, meaning) for word in listed for spelling in spellings(word))


def _known(base: str) -> str:
    if base not in sides_of():
        raise StructureError(f"name_words.yaml: expected an organ of plan/structures.yaml without its side, found '{base}'")
    return base


def _merged(spelling: str, meanings: set[Meaning]) -> Iterator[Meaning]:
    """One meaning per kind and value, with all languages together."""
    grouped: dict[tuple, set[str]] = {}
    for meaning in meanings:
        grouped.setdefault((meaning.kind, meaning.value, meaning.candidates), set()).update(meaning.languages)
        if meaning.kind == "side" and not meaning.languages:
            grouped[meaning.kind, meaning.value, meaning.candidates].add("any")
    if len({value for kind, value, _ in grouped if kind == "organ"}) > 1:
        raise StructureError(f"name_words.yaml: '{spelling}' stands with two organs; a word belongs to one")
    for (kind, value, candidates), languages in sorted(grouped.items()):
        yield Meaning(kind, value, frozenset() if "any" in languages else frozenset(languages), candidates)
