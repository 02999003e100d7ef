"""Words that stand in the ROI names of every hospital, and so identify nobody, even where a patient is called so.

They are the words of plan/structures.yaml, of TG-263 and of maps/name_words.yaml: organs and sides in many languages, words of
planning. A patient called "Mund" or "Lung" must not turn an organ into "[patient]"; whoever reads "Mund" in a list of contours
learns no name from it.
"""

from collections.abc import Iterator
from functools import lru_cache

from data_prep.conversion.folded_text import FoldedText
from data_prep.naming.tables import listed_names, name_words
from src.data.structures import load_structures

# What contours of every patient are called by besides. "Patient" is what some systems call the outer contour.
_MORE = "patient body external outer iso isocenter isocentre isozentrum marker couch table tisch contrast kontrast dose dosis"


@lru_cache(maxsize=1)
def ordinary_words() -> frozenset[str]:
    """Folded words and whole spellings (``lung``, ``lungl``, ``spinalcord``) that are kept whoever is called so."""
    words = set()
    for spelling in _spellings():
        folded = FoldedText(spelling)
        words.add(folded.letters)
        words |= {folded.letters[start:end] for start, end in folded.segments()}
    return frozenset(word for word in words if len(word) > 1 and not word.isdigit())


def _spellings() -> Iterator[str]:
    yield from _MORE.split()
    for structure in load_structures():
        yield from (structure.name, *structure.synonyms)
    for row in listed_names():
        yield from row.values()
    yield from _texts(name_words())


def _texts(node: object) -> Iterator[str]:
    """All keys and values of a YAML file that are texts."""
    if isinstance(node, str):
        yield from (node, node.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue"))
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from (*_texts(key), *_texts(value))
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
