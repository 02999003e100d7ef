"""A name in Cyrillic or Greek letters as it is written in Latin ones: headers and contour names often differ in that.

Sources: ICAO Doc 9303-3, section 6 B (what passports say); the English (BGN/PCGN 1947), German (Duden) and scholarly (ISO/R 9,
without its marks) ways for Cyrillic; ELOT 743 for Greek.
"""

import unicodedata

_SAME = dict(zip("абгдезиклмнопрстуфыэіїєґ", "abgdeziklmnoprstufyeiieg", strict=True)) | {
    "ъ": "",
    "ь": "",
    "љ": "lj",
    "њ": "nj",
}
_LETTERS = "вёжйхцчшщюя"
_WAYS = {
    "passport": "v e zh i kh ts ch sh shch iu ia",
    "English": "v yo zh y kh ts ch sh shch yu ya",
    "German": "w jo sch j ch z tsch sch schtsch ju ja",
    "scholarly": "v e z j h c c s sc ju ja",
}
_GREEK = dict(zip("αβγδεζηικλμνξοπρσςτυφω", "avgdeziiklmnxoprsstyfo", strict=True)) | {"θ": "th", "χ": "ch", "ψ": "ps"}
_GREEK_PAIRS = {"ου": "ou", "γγ": "ng", "αυ": "av", "ευ": "ev"}
_TABLES = tuple(_SAME | dict(zip(_LETTERS, way.split(), strict=True)) | _GREEK for way in _WAYS.values())


def romanised(text: str) -> set[str]:
    """The ways to write a text in Latin letters; empty where it has no Cyrillic or Greek one."""
    composed = unicodedata.normalize("NFC", text.casefold())
    for pair, latin in _GREEK_PAIRS.items():
        composed = composed.replace(_accented(pair), latin).replace(pair, latin)
    ways = {"".join(_letter(character, table) for character in composed) for table in _TABLES}
    return ways - {text.casefold(), composed}


def _letter(character: str, table: dict[str, str]) -> str:
    bare = unicodedata.normalize("NFD", character)[0]
    return table.get(character, table.get(bare, character))


def _accented(pair: str) -> str:
    return unicodedata.normalize("NFC", pair + "\N{COMBINING ACUTE ACCENT}")
