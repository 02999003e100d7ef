"""A name -> the ways in which known words cover it from its first letter to its last."""

import re
from collections.abc import Sequence
from itertools import product

from data_prep.naming.spelling import MAX_LETTERS, letters
from data_prep.naming.vocabulary import Meaning, vocabulary

Reading = frozenset[Meaning]
MAX_READINGS = 64  # of one stretch of letters; a name that can be read in more ways is not understood
_NUMBER = re.compile(r"v?(\d+)")


def readings_of(name: str) -> set[Reading]:
    """What a name says if nothing of it is left over; harmless words are dropped.

    A phrase goes before its parts: only the ways with the fewest words count ("small bowel", not "bowel" beside "small").
    Capitals and separators do not matter, and so neither does whether words are glued together.

    Returns:
        One set of meanings per way; empty when known words do not cover the name.
    """
    text = letters(name)
    if not 0 < len(text) <= MAX_LETTERS:
        return set()
    # best[end]: fewest words that cover text[:end], and the readings with so many.
    best: list[tuple[int, set[Reading]] | None] = [(0, {frozenset()}), *[None] * len(text)]
    for start in range(len(text)):
        if best[start] is None:
            continue
        count, before = best[start]
        for end, meanings in _words_at(text, start):
            known = best[end]
            if known and known[0] < count + 1:
                continue
            found = {_with(reading, meaning) for reading, meaning in product(before, meanings)}
            best[end] = (count + 1, found | known[1] if known and known[0] == count + 1 else found)
            if len(best[end][1]) > MAX_READINGS:
                return set()
    return best[-1][1] if best[-1] else set()


def _words_at(text: str, start: int) -> list[tuple[int, Sequence[Meaning]]]:
    """(end, meanings) of every word of the vocabulary, and of the number, that begins at ``start``."""
    words = vocabulary()
    found = []
    for end in range(start + 1, len(text) + 1):
        meanings = [meaning for meaning in words.get(text[start:end], ()) if start == 0 or meaning.kind != "leading"]
        if meanings:
            found.append((end, meanings))
    number = _NUMBER.match(text, start)
    if number and not text[start - 1 : start].isdigit():
        version = number[0].startswith("v") or number[0] == "1"
        found.append((number.end(), [Meaning("harmless") if version else Meaning("number", number[1])]))
    return found


def _with(reading: Reading, meaning: Meaning) -> Reading:
    return reading if meaning.kind == "harmless" else reading | {meaning}
