"""Signs and marks that make a name no organ's wherever they stand; whole words for that are in maps/name_words.yaml."""

import re
import unicodedata

from data_prep.naming.spelling import letters

# Anywhere in a name, whatever stands around them; no organ is called so in any of the languages.
TARGET_MARKS = ("ptv", "ctv", "gtv", "itv", "prv")

_DOSE_OR_MARGIN = re.compile(r"\d(mm|cm|gy|cgy)")
_SIGNS = {
    "~": "TG-263 writes '~' before a contour that covers only a part",
    "^": "TG-263 writes '^' before what tells a variant from the organ",
    "+": "'+' adds a margin or another contour",
    "%": "'%' is an isodose",
}


def marked_as_planning(native: str) -> str | None:
    """Why a name is no organ's, whatever else stands in it; None when no sign or mark of that is there.

    Source: AAPM TG-263 for '~', '^' and the leading 'z' and '_' of what is not meant for evaluation.
    """
    native = unicodedata.normalize("NFKC", native)
    if native.lstrip().startswith("_"):
        return "TG-263 writes '_' before what is only for planning"
    for sign, why in _SIGNS.items():
        if sign in native:
            return why
    found = letters(native)
    for mark in TARGET_MARKS:
        if mark in found:
            return f"'{mark.upper()}' marks a target or a margin"
    if _DOSE_OR_MARGIN.search(found):
        return "a number of mm, cm or Gy is a margin or a dose"
    return None
