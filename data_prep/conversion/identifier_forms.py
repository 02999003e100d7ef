"""In which forms an identifying text may turn up: names in any order, numbers without separators, dates as people write."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import permutations

from data_prep.conversion.dates import Date, dates_in
from data_prep.conversion.folded_text import FoldedText
from data_prep.conversion.romanised import romanised

MAX_NAME_PARTS = 6  # of one name; more than that is a sentence, whose words are looked for one by one
_IDEOGRAPHS_FROM = 0x2E80  # from here on Unicode holds scripts in which one sign says what two Latin letters say
_GERMAN = ((("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("å", "aa"), ("ø", "oe")), (("ae", "a"), ("oe", "o"), ("ue", "u")))


@dataclass(frozen=True, kw_only=True)
class IdentifierForms:
    """What is looked for.

    Attributes:
        anywhere: folded texts that are replaced wherever they stand.
        whole_words: folded texts too short for that: they are replaced where they are a word of their own.
        dates: (year, month, day) of dates.
    """

    anywhere: frozenset[str]
    whole_words: frozenset[str]
    dates: frozenset[Date]


def forms_of(identifiers: Collection[str]) -> IdentifierForms:
    """All forms of some identifying texts; empty texts and single letters are nobody's."""
    anywhere: set[str] = set()
    whole_words: set[str] = set()
    for identifier in identifiers:
        for form in _texts_of(identifier):
            weight = sum(2 if ord(letter) >= _IDEOGRAPHS_FROM else 1 for letter in form)
            if weight >= 4:
                anywhere.add(form)
            elif weight == 3 or (weight == 2 and "^" in identifier and not form.isdigit()):
                whole_words.add(form)
    dates = frozenset().union(*(dates_in(identifier) for identifier in identifiers))
    return IdentifierForms(anywhere=frozenset(anywhere), whole_words=frozenset(whole_words), dates=dates)


def _texts_of(identifier: str) -> set[str]:
    """The folded whole, its parts, two or more parts put together in any order, and numbers without leading zeros."""
    forms: set[str] = set()
    for spelling in _spellings(identifier):
        for group in spelling.split("="):  # a DICOM name in several scripts
            whole = FoldedText(group).letters
            apart = r"[\s^,;\\]+" if any(letter.isdigit() for letter in whole) else r"[\W_]+"
            pieces = re.split(apart, group)
            parts = list(dict.fromkeys(part for part in (FoldedText(piece).letters for piece in pieces) if part))
            forms |= {whole, *parts, *re.findall(r"[0-9]{5,}", whole)}  # "PID77142" is written without its letters too
            if len(parts) <= MAX_NAME_PARTS:
                forms |= {first + second for first, second in permutations(parts, 2)}
    forms |= {form.lstrip("0") for form in forms if len(form.lstrip("0")) >= 4}
    return forms


def _spellings(identifier: str) -> set[str]:
    """The text itself, with ä as ae, with ae as a (Müller, Mueller and Muller are one name), and in Latin letters."""
    written_out, shortened = identifier.casefold(), identifier.casefold()
    for accented, plain in _GERMAN[0]:
        written_out = written_out.replace(accented, plain)
    for plain, short in _GERMAN[1]:
        shortened = shortened.replace(plain, short)
    return {identifier, written_out, shortened, *romanised(identifier)}
