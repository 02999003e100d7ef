"""Dates as people write them: with any separators or none, year first or last, a short year, a month in letters."""

import re
from collections.abc import Iterable, Iterator

_DICOM = re.compile(r"(?<!\d)((?:18|19|20)\d\d)[-./]?(0[1-9]|1[0-2])[-./]?(0[1-9]|[12]\d|3[01])")
_GAP = r"[\s._/,\-]{0,2}"
_DIGITS = re.compile(rf"\d(?:{_GAP}\d)*")
_APART = re.compile(r"(?<!\d)(?=(\d{1,4})[\s._/,\-]{1,2}(\d{1,2})[\s._/,\-]{1,2}(\d{4}|\d{1,2})(?!\d))")
_DAY_LETTERS = re.compile(rf"(?<!\d)(?=(\d{{1,2}})\.?{_GAP}[^\W\d_]{{3,12}}\.?{_GAP}(\d{{4}}|\d\d)(?!\d))")
_LETTERS_DAY = re.compile(rf"(?<![^\W\d_])(?=[^\W\d_]{{3,12}}\.?{_GAP}(\d{{1,2}}){_GAP}(\d{{4}})(?!\d))")
_ORDERS = ((0, 1, 2), (2, 1, 0), (2, 0, 1))  # where year, month and day stand: ISO, most of the world, the United States

Date = tuple[int, int, int]


def dates_in(identifier: str) -> set[Date]:
    """The dates that an identifying text holds in DICOM's form, as (year, month, day)."""
    return {(int(year), int(month), int(day)) for year, month, day in _DICOM.findall(identifier)}


def find_dates(text: str, dates: Iterable[Date]) -> Iterator[tuple[int, int]]:
    """Where one of the dates is written in a text, as (start, end)."""
    long_years = set(dates)
    if not long_years:
        return
    known = long_years | {(year % 100, month, day) for year, month, day in long_years}
    yield from _in_digits(text, long_years, known)
    for found in _APART.finditer(text):
        parts = [int(part) for part in found.groups()]
        if any((parts[year], parts[month], parts[day]) in known for year, month, day in _ORDERS):
            yield found.start(1), found.end(3)
    days = {(day, year) for year, _, day in known}
    for pattern in (_DAY_LETTERS, _LETTERS_DAY):
        for found in pattern.finditer(text):
            if (int(found[1]), int(found[2])) in days:
                yield found.start(), found.end(2)


def _in_digits(text: str, long_years: set[Date], known: set[Date]) -> Iterator[tuple[int, int]]:
    """Eight digits anywhere, whatever stands between them; six where they are a number of their own."""
    for run in _DIGITS.finditer(text):
        places = [place for place in range(*run.span()) if text[place].isdecimal()]
        digits = "".join(str(int(text[place])) for place in places)
        for start in range(len(digits) - 7):
            eight = digits[start : start + 8]
            if (
                _readings(eight[:4], eight[4:6], eight[6:]) & long_years
                or _readings(eight[4:], eight[:2], eight[2:4]) & long_years
            ):
                yield places[start], places[start + 7] + 1
    for run in re.finditer(r"(?<!\d)\d{6}(?!\d)", text):
        six = "".join(str(int(digit)) for digit in run[0])
        if (_readings(six[:2], six[2:4], six[4:]) | _readings(six[4:], six[:2], six[2:4])) & known:
            yield run.span()


def _readings(year: str, first: str, second: str) -> set[Date]:
    return {(int(year), int(first), int(second)), (int(year), int(second), int(first))}
