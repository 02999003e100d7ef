"""The contours of one ROI: numbers as text -> points, and what of them is left out or damaged."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from src.dicom.objects import Contour
from src.dicom.strict_elements import Elements

GEOMETRIC_TYPE, OFFSET, NUM_POINTS, DATA = 0x30060042, 0x30060045, 0x30060046, 0x30060050
# Further from the origin than any table or gantry reaches.
MAX_COORDINATE_MM = 1e5
# A DS has 16 characters; exporters that write doubles whole need up to 25. Longer digits cost time and say nothing.
MAX_NUMBER_LENGTH = 64
# No drawn contour comes near; the bound keeps the memory of its split text below 100 MB.
MAX_CONTOUR_POINTS = 500_000

# Without blanks, underscores and hyphens, which exporters set as they please. PS3.3 C.8.8.6.3.
_EXCLUSIVE = "CLOSEDPLANARXOR"
_CLOSED = ("CLOSEDPLANAR", _EXCLUSIVE)
_NOT_CLOSED = {"POINT": "POINT", "OPENPLANAR": "OPEN_PLANAR", "OPENNONPLANAR": "OPEN_NONPLANAR"}


@dataclass(frozen=True, kw_only=True)
class RoiContours:
    """What the contour items of one ROI hold.

    Attributes:
        contours: the closed planar ones that are whole, in order.
        notes: what was left out on purpose, counted.
        damage: what was lost against the will of whoever drew it, counted; empty when the contours are complete.
    """

    contours: tuple[Contour, ...]
    notes: tuple[str, ...]
    damage: tuple[str, ...]


class _Damage(Exception):
    """Why a contour cannot be trusted."""


def read_contours(items: Iterable[Elements]) -> RoiContours:
    """The closed planar contours of an ROI.

    A contour of one or two points, or of none that says so, encloses nothing and is only noted, as are POINT and open ones.
    Anything else that keeps a contour from being read is damage: left out silently, it would shrink the organ.

    Args:
        items: of its ContourSequence.
    """
    contours, notes, damage = [], Counter(), Counter()
    for item in items:
        kind = re.sub(r"[\s_-]", "", item.text(GEOMETRIC_TYPE).upper())
        if kind in _NOT_CLOSED:
            notes[f"of type {_NOT_CLOSED[kind]}"] += 1
            continue
        try:
            points_mm = _points(item, kind)
        except _Damage as why:
            damage[str(why)] += 1
            continue
        if len(points_mm) < 3:
            notes["of fewer than 3 points"] += 1
        else:
            contours.append(Contour(points_mm=points_mm, exclusive=kind == _EXCLUSIVE))
    return RoiContours(contours=tuple(contours), notes=_told(notes), damage=_told(damage))


def _told(counts: Counter) -> tuple[str, ...]:
    return tuple(f"{count} {'contour' if count == 1 else 'contours'} {what}" for what, count in counts.items())


def _points(item: Elements, kind: str) -> np.ndarray:
    """(N, 3) float64 points of a closed contour; N may be 0 to 2."""
    if kind not in _CLOSED:
        raise _Damage("of an unknown geometric type")
    if re.search("[^-+0.eE \\\\]", item.text(OFFSET)):  # retired, rare: the slab lies beside the plane
        raise _Damage("with a ContourOffsetVector, which would move it")
    points_mm = parse_points(item.value(DATA))
    said = item.text(NUM_POINTS)
    if said and not (re.fullmatch(r"\+?\d{1,9}", said) and int(said) == len(points_mm)):
        raise _Damage("with another number of points than NumberOfContourPoints says")
    if not said and not len(points_mm):
        raise _Damage("without ContourData")
    return points_mm


def parse_points(value: bytes) -> np.ndarray:
    """ContourData -> (N, 3) float64 millimetres.

    Raises:
        _Damage: no decimal numbers, not three for each point, or not finite and within ``MAX_COORDINATE_MM``.
    """
    value = value.strip(b" \0")
    if not value:
        return np.empty((0, 3))
    # float() also takes "nan", "inf" and "1_000".
    if value.translate(None, b"0123456789+-.eE\\ "):
        raise _Damage("with something else than decimal numbers")
    if value.count(b"\\") > 3 * MAX_CONTOUR_POINTS:
        raise _Damage(f"with more than {MAX_CONTOUR_POINTS} points")
    numbers = value.split(b"\\")
    if len(numbers) % 3:
        raise _Damage("with a number of values that is no multiple of 3")
    if max(map(len, numbers)) > MAX_NUMBER_LENGTH:
        raise _Damage("with numbers that are too long")
    try:
        points_mm = np.fromiter(map(float, numbers), np.float64, len(numbers)).reshape(-1, 3)
    except ValueError:
        raise _Damage("with something else than decimal numbers") from None
    if not np.abs(points_mm).max() <= MAX_COORDINATE_MM:
        raise _Damage(f"with values beyond {MAX_COORDINATE_MM:.0f} mm")
    return points_mm
