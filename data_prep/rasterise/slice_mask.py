"""All contours of one slice together: nested ones alternate, partly overlapping ones join.

DICOM PS3.3 C.8.8.6.3 knows two ways to say "hole": the keyhole (one outline; the even-odd rule does it) and exclusive or of
several outlines. Planning systems also mean holes by nested contours of the plain type, so nested contours are combined by
exclusive or, whatever their winding. For plain contours that overlap partly the standard says nothing; in the files at hand
they are neighbouring strokes that share a seam (LUNG1-002 contrast: 0.1 to 2.5 % of the smaller one), where exclusive or would
cut the seam out. They are joined. What lies inside another contour by 90 % is a hole that touches the edge, not a stroke.
Contours of the type CLOSEDPLANAR_XOR say how they are meant: exclusive or, however they overlap. Only copies are left out
there too, since nobody draws a contour twice to erase it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data_prep.rasterise.duplicates import without_copies
from data_prep.rasterise.polygon import Filled, area_pixels, fill
from src.errors import DicomError

NESTED_SHARE = 0.9  # of the smaller contour's pixels
MOST_CONTOURS = 1000
MOST_PAIRS = 5_000
MOST_CROSSINGS = 1_000_000  # of outlines with rows of pixels; a million is all pixels of a 512 × 512 image four times


@dataclass(frozen=True, kw_only=True)
class SliceFacts:
    """What is kept of a slice beside its mask.

    Attributes:
        area_pixels: of the polygons, holes subtracted.
        copies: contours left out.
        cut: contours that reach beyond the image.
        disputed_pixels: enclosed twice by one contour, and outside by the even-odd rule.
        seam_pixels: where contours overlap partly; exclusive or alone would have left them out.
    """

    area_pixels: float
    copies: int
    cut: int
    disputed_pixels: int
    seam_pixels: int


def combine(
    outlines: Sequence[np.ndarray], size_xy: tuple[int, int], pixel_mm: tuple[float, float], *, exclusive: bool = False
) -> tuple[np.ndarray, SliceFacts]:
    """Fills one slice.

    Args:
        outlines: (N, 2) each, continuous pixel index; at least one.
        size_xy: of the image in pixels.
        pixel_mm: distance of pixel centres in x and y.
        exclusive: whether they are of the type CLOSEDPLANAR_XOR.

    Returns:
        (Y, X) bool, the whole image; all False where no pixel's centre lies inside. And what is to be said of it.

    Raises:
        DicomError: more contours than anybody draws on one slice.
    """
    if len(outlines) > MOST_CONTOURS:
        raise _too_many(f"{len(outlines)} contours")
    if (crossings := sum(len(outline) + np.abs(np.diff(outline[:, 1])).sum() for outline in outlines)) > MOST_CROSSINGS:
        raise _too_many(f"outlines that cross {crossings:.0f} rows of pixels")
    pairs = _pairs(outlines)
    kept = without_copies([outline * pixel_mm for outline in outlines]) if pairs else range(len(outlines))
    filled = {number: fill(outlines[number], size_xy) for number in kept}
    areas = {number: area_pixels(outlines[number]) for number in kept}
    overlaps = [pair for pair in pairs if filled.keys() >= set(pair)]
    parts, sign_of, seam_pixels = _parts(overlaps, filled, areas, exclusive)
    inside_YX = np.zeros(size_xy[::-1], bool)
    for part in parts:
        _paint(inside_YX, [filled[number] for number in part])
    # Each polygon differs from its own pixels by its edge alone; the pixels of all together are known.
    edges = sum(sign_of[number] * (areas[number] - filled[number].pixels) for number in filled)
    return inside_YX, SliceFacts(
        area_pixels=float(np.count_nonzero(inside_YX) + edges),
        copies=len(outlines) - len(kept),
        cut=sum(one.is_cut for one in filled.values()),
        disputed_pixels=sum(one.disputed_pixels for one in filled.values()),
        seam_pixels=seam_pixels,
    )


def _pairs(outlines: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Pairs whose boxes meet."""
    if len(outlines) < 2:
        return []
    low = np.array([outline.min(axis=0) for outline in outlines])
    high = np.array([outline.max(axis=0) for outline in outlines])
    meet = ((low[:, None] <= high[None]) & (low[None] <= high[:, None])).all(axis=2)
    pairs = np.argwhere(np.triu(meet, k=1))
    if len(pairs) > MOST_PAIRS:
        raise _too_many(f"{len(pairs)} pairs of overlapping ones")
    return [(int(first), int(second)) for first, second in pairs]


def _parts(
    pairs: Sequence[tuple[int, int]], filled: Mapping[int, Filled], areas: Mapping[int, float], exclusive: bool
) -> tuple[list[list[int]], dict[int, int], int]:
    """Groups of contours to join, +1 or -1 per contour (drawn or cut out), and the pixels shared within groups."""
    part_of, sign_of, seam_pixels = {number: number for number in filled}, dict.fromkeys(filled, 1), 0
    for first, second in pairs:
        shared = _shared_pixels(filled[first], filled[second])
        if not shared:
            continue
        if shared >= NESTED_SHARE * min(filled[first].pixels, filled[second].pixels):
            sign_of[min(first, second, key=areas.__getitem__)] *= -1
            continue
        if exclusive:
            continue
        seam_pixels += shared
        old, new = part_of[second], part_of[first]
        part_of = {number: new if part == old else part for number, part in part_of.items()}
    parts = [[number for number in filled if part_of[number] == part] for part in sorted(set(part_of.values()))]
    return parts, sign_of, seam_pixels


def _shared_pixels(first: Filled, second: Filled) -> int:
    low = [max(one.start, other.start) for one, other in zip(first.box, second.box, strict=True)]
    high = [min(one.stop, other.stop) for one, other in zip(first.box, second.box, strict=True)]
    if low[0] >= high[0] or low[1] >= high[1]:
        return 0
    views = [
        one.inside_YX[low[0] - one.first_y : high[0] - one.first_y, low[1] - one.first_x : high[1] - one.first_x]
        for one in (first, second)
    ]
    return int(np.count_nonzero(views[0] & views[1]))


def _paint(inside_YX: np.ndarray, part: Sequence[Filled]) -> None:
    if len(part) == 1:
        inside_YX[part[0].box] ^= part[0].inside_YX
        return
    joined = np.zeros_like(inside_YX)
    for one in part:
        joined[one.box] |= one.inside_YX
    inside_YX ^= joined


def _too_many(what: str) -> DicomError:
    return DicomError(
        f"expected at most some hundred contours on a slice, found {what}: this is noise; smooth it before the export"
    )
