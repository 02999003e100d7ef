"""A text as its bare letters and digits, with the way back: so a name is found however it is written."""

import unicodedata
from functools import lru_cache

# Letters that Unicode does not take apart.
_PLAIN = {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}


class FoldedText:
    """Letters and digits of a text without case, accents and what stands between them.

    Args:
        text: anything.

    Attributes:
        letters: the folded letters and digits.
        places: for each of them the index in ``text`` it came from.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        letters: list[str] = []
        self.places: list[int] = []
        self._gap_before: list[bool] = []
        gap = False
        for place, character in enumerate(text):
            folded = _fold_character(character)
            gap |= not folded and not unicodedata.combining(character)
            for letter in folded:
                letters.append(letter)
                self.places.append(place)
                self._gap_before.append(gap)
                gap = False
        self.letters = "".join(letters)

    def has_gap(self, start: int, end: int) -> bool:
        """Whether something stands between the letters ``start`` to ``end`` (one past the last)."""
        return any(self._gap_before[start + 1 : end])

    def is_boundary(self, index: int) -> bool:
        """Whether a word may begin at this letter: after a gap, at a change of case or between letters and digits."""
        if index <= 0 or index >= len(self.letters) or self._gap_before[index]:
            return True
        before, here = (self.text[self.places[place]] for place in (index - 1, index))
        after = self.text[self.places[index + 1]] if index + 1 < len(self.letters) else ""
        if before.isdigit() != here.isdigit():
            return True
        return here.isupper() and (
            before.islower() or (before.isupper() and after.islower() and not self._gap_before[index + 1])
        )

    def segments(self) -> list[tuple[int, int]]:
        """The words, as (start, end) among the letters."""
        starts = [index for index in range(len(self.letters)) if self.is_boundary(index)]
        return list(zip(starts, [*starts[1:], len(self.letters)], strict=True)) if starts else []

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where the letters ``start`` to ``end`` lie in the text, with the accents that follow them."""
        last = self.places[end - 1] + 1
        while last < len(self.text) and unicodedata.combining(self.text[last]):
            last += 1
        return self.places[start], last


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """The folded letters and digits of one character; "" for anything else."""
    plain = "".join(_PLAIN.get(letter, letter) for letter in character.casefold())
    return "".join(letter for letter in unicodedata.normalize("NFKD", plain).casefold() if letter.isalnum())
