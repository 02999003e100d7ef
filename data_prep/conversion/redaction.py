"""Takes out of a text whatever identifies the patient: planning systems let people name a contour after anything."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from data_prep.conversion.dates import find_dates
from data_prep.conversion.folded_text import FoldedText
from data_prep.conversion.identifier_forms import forms_of
from data_prep.conversion.ordinary_words import ordinary_words

REDACTED = "[patient]"
MIN_LETTERS_ACROSS_GAPS = 6  # shorter texts come about by chance where one word ends and the next begins
MAX_SEGMENTS = 6  # of one organ's name: "Parotid gland Left"


class Redactor:
    """Replaces every occurrence of identifying texts.

    Case, accents and separators do not matter, nor the order of a name's parts. From four letters or digits on, a text is found
    anywhere, also inside of a word; shorter ones where they are a word of their own. Dates are found as people write them. What
    is an ordinary word of contour names (``ordinary_words``) stays even where the patient is called so, alone or inside of it;
    first and last name together never stay.

    Args:
        identifiers: names with or without ``^``, numbers, dates as ``YYYYMMDD``, UIDs; empty ones are passed over.
    """

    def __init__(self, identifiers: Iterable[str]) -> None:
        forms = forms_of(set(identifiers))
        self._anywhere = sorted(forms.anywhere - ordinary_words())
        self._whole_words = sorted(forms.whole_words - ordinary_words())
        self._dates = forms.dates

    def redact(self, text: str) -> str:
        """The text with every identifying part replaced by ``[patient]``; the text itself where nothing identifies."""
        return REDACTED.join(self._redact_part(part) for part in text.split(REDACTED))

    def _redact_part(self, text: str) -> str:
        folded = FoldedText(text)
        hit = [False] * len(text)
        for start, end in find_dates(text, self._dates):
            _mark(hit, start, end)
        kept = _kept_spans(folded)
        for start, end in self._find_anywhere(folded):
            if not any(first <= start and end <= last for first, last in kept):
                _mark(hit, *folded.place(start, end))
        self._mark_whole_words(folded, hit)
        return _replace(text, hit)

    def _find_anywhere(self, folded: FoldedText) -> Iterator[tuple[int, int]]:
        for form in self._anywhere:
            for start, end in _occurrences(form, folded):
                if len(form) >= MIN_LETTERS_ACROSS_GAPS or not folded.has_gap(start, end):
                    yield start, end

    def _mark_whole_words(self, folded: FoldedText, hit: list[bool]) -> None:
        """Short texts, until no more are found: what was glued to a replaced one is a word of its own by now."""

        def ends_at(index: int, neighbour: int) -> bool:
            return folded.is_boundary(index) or hit[folded.places[neighbour]]

        spans = [span for form in self._whole_words for span in _occurrences(form, folded) if not folded.has_gap(*span)]
        found = True
        while found:
            found = [(start, end) for start, end in spans if ends_at(start, start - 1) and ends_at(end, end)]
            spans = [span for span in spans if span not in found]
            for span in found:
                _mark(hit, *folded.place(*span))


def _occurrences(form: str, folded: FoldedText) -> Iterator[tuple[int, int]]:
    start = folded.letters.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = folded.letters.find(form, start + 1)


def _mark(hit: list[bool], start: int, end: int) -> None:
    hit[start:end] = [True] * (end - start)


def _kept_spans(folded: FoldedText) -> list[tuple[int, int]]:
    """Where ordinary words stand: one segment, or some that make a name together (``Spinal cord``)."""
    segments = folded.segments()
    words = ordinary_words()
    spans = []
    for first in range(len(segments)):
        for last in range(first, min(first + MAX_SEGMENTS, len(segments))):
            start, end = segments[first][0], segments[last][1]
            if folded.letters[start:end] in words:
                spans.append((start, end))
    return spans


def _replace(text: str, hit: list[bool]) -> str:
    """Each run of hits once; runs with nothing but separators between them are one."""
    for place, character in enumerate(text):
        if hit[place] or character.isalnum():
            continue
        after = next((index for index in range(place, len(text)) if text[index].isalnum() or hit[index]), None)
        hit[place] = place > 0 and hit[place - 1] and after is not None and hit[after]
    runs = ((is_hit, "".join(text[place] for place in places)) for is_hit, places in groupby(range(len(text)), hit.__getitem__))
    return "".join(REDACTED if is_hit else run for is_hit, run in runs)
