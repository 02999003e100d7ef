"""The forms in which names are compared: by their letters, and token by token."""

import re
import unicodedata

from data_prep.conversion.redaction import REDACTED
from src.data.structures import fold

MAX_LETTERS = 64  # a DICOM long string holds no more; longer ones are not read word by word
# Letters that Unicode does not take apart into a base letter and an accent.
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "þ": "th"})
_SEPARATOR_CATEGORIES = {"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Zs", "Zl", "Zp", "Cc", "Cf"}
_SEPARATORS = frozenset(".,;:/\\&·")


def plain(name: str) -> str:
    """A name in lower case without accents, with a blank for every run of separators; other signs stay."""
    # What stands for a patient's name is a word that nobody knows.
    composed = unicodedata.normalize("NFKC", name.replace(REDACTED, " § ")).casefold()
    decomposed = unicodedata.normalize("NFKD", composed.translate(_LETTERS))
    base = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    base = re.sub(r"['’`´](?=\w)", " ", base)  # l'oeil; a prime at the end would be another contour
    return " ".join("".join(" " if _separates(sign) else sign for sign in base).split())


def letters(name: str) -> str:
    """``plain`` without its blanks: two names with the same letters are the same name."""
    return plain(name).replace(" ", "")


def tokens(name: str) -> tuple[str, ...]:
    """The runs of letters and the numbers of a name, in order."""
    return tuple(re.findall(r"[^\W\d_]+|\d+", plain(name)))


def spellings(word: str) -> set[str]:
    """The letters of a word of a vocabulary; with ä, ö, ü also written ae, oe, ue."""
    composed = unicodedata.normalize("NFKC", word).casefold()
    return {letters(word), letters(composed.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue"))}


def own_name(native: str) -> str:
    """The form in which a row of names.csv and a native name are compared: accents and signs count, case and blanks do not."""
    return fold(unicodedata.normalize("NFC", native)) or native.strip()


def _separates(sign: str) -> bool:
    return sign in _SEPARATORS or unicodedata.category(sign) in _SEPARATOR_CATEGORIES
