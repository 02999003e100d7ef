"""Outlines -> slices: the nearest one each, one plane of contours per slice, and what is said when that does not come out even.

Contours on planes closer than the slices (drawn or interpolated on a finer grid) may fall on one slice together. They are never
combined, since two planes of one organ cancel under exclusive or: the plane nearest to the slice's centre makes the slice.
That holds for planes at regular steps only, each of which shows the whole organ. Where a few contours of a slice lie slightly
beside the others (a hole, a second part), the nearest plane may be the hole alone: the ROI is refused.
Contours on planes farther apart than the slices would make a mask of stripes: the ROI is refused. So are two planes with empty
slices between them: a small organ has no more where its neighbours are drawn on every third slice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data_prep.rasterise.plane import Outline
from src.dicom.objects import Grid
from src.errors import DicomError

SAME_PLANE_MM = 0.1  # apart at most; and never more than a tenth of a slice
OFF_SLICE_NOTED = 0.05  # slices
STRIPES = 1.1  # slices from plane to plane, above which a regular step leaves slices empty
BESIDE = 0.25  # slices; planes closer than that are one, drawn inexactly, unless all planes are that close
REGULAR_SHARE = 0.75  # of the steps from plane to plane
CENTIMETRES = 0.1  # slices from plane to plane, when what should be millimetres is centimetres


@dataclass(frozen=True, kw_only=True)
class Sliced:
    """Which outlines make which slice.

    Attributes:
        outlines: slice -> its (N, 2) outlines in pixel index, all of one plane, in the order of the contours.
        notes: in plain words.
    """

    outlines: dict[int, list[np.ndarray]]
    notes: tuple[str, ...]


def distribute(outlines: Sequence[Outline], grid: Grid) -> Sliced:
    """Gives every outline to its slice; exactly half-way between two slices it is the higher index.

    Raises:
        DicomError: no outline lies within the CT, they leave slices empty at a regular step, some lie slightly beside others of
            their slice, or they are a tenth as far apart as the slices.
    """
    slices = _nearest([outline.middle_z for outline in outlines])
    within = [(outline, int(k)) for outline, k in zip(outlines, slices, strict=True) if 0 <= k < grid.size[2]]
    if not within:
        raise DicomError("expected contours within the CT, found all of them above or below it: it lies outside the CT")
    notes = []
    if outside := len(outlines) - len(within):
        notes.append(f"contours above or below the CT, left out: {outside} of {len(outlines)}")
    planes = _number_planes([outline.plane_z for outline, _ in within], grid.spacing_mm[2])
    positions = np.bincount(planes, weights=[outline.plane_z for outline, _ in within]) / np.bincount(planes)
    _refuse_stripes(positions, grid.spacing_mm[2])
    _refuse_centimetres(positions, grid.spacing_mm[2])
    _refuse_beside(positions, _nearest(positions), grid.spacing_mm[2])
    chosen = _nearest_plane_each(within, planes)
    if hidden := len(within) - len(chosen):
        notes.append(f"its planes are closer than the slices: each slice takes the nearest one; contours left out: {hidden}")
    notes += [*_off_slice(chosen, grid.spacing_mm[2]), *_gaps({k for _, k in chosen})]
    by_slice: dict[int, list[np.ndarray]] = {}
    for outline, k in chosen:
        by_slice.setdefault(k, []).append(outline.points_xy)
    return Sliced(outlines=by_slice, notes=tuple(notes))


def _number_planes(plane_z: Sequence[float], spacing_mm: float) -> np.ndarray:
    """Numbers the planes from below; outlines closer than the writing of their coordinates can tell share one."""
    order = np.argsort(plane_z, kind="stable")
    steps = np.diff(np.asarray(plane_z)[order], prepend=plane_z[order[0]])
    numbers = np.empty(len(order), int)
    numbers[order] = np.cumsum(steps > min(SAME_PLANE_MM / spacing_mm, 0.1))
    return numbers


def _nearest(heights_z: Sequence[float] | np.ndarray) -> np.ndarray:
    """The slice of each; rounded first, so that all that is half-way goes to one side whatever the last digit of its text."""
    return np.floor(np.round(heights_z, 3) + 0.5).astype(int)


def _refuse_stripes(positions: np.ndarray, spacing_mm: float) -> None:
    steps = np.diff(positions)
    step = np.median(steps) if len(steps) else 0
    if step > STRIPES and np.mean(np.abs(steps - step) < 0.1 * step) > 0.5:
        raise DicomError(
            f"expected contours on every slice, {spacing_mm:g} mm apart, found them every {step * spacing_mm:.1f} mm: the mask "
            "would be stripes; interpolate the contours in the planning system, or export the CT they were drawn on"
        )


def _refuse_centimetres(positions: np.ndarray, spacing_mm: float) -> None:
    steps = np.diff(positions)
    if len(steps) > 1 and (np.abs(steps / CENTIMETRES - 1) < 0.02).all():
        raise DicomError(
            f"expected contours on every slice, {spacing_mm:g} mm apart, found them every {steps.mean() * spacing_mm:.3g} mm, "
            "a tenth of that: they seem to be in centimetres; export them in millimetres"
        )


def _refuse_beside(positions: np.ndarray, slices: np.ndarray, spacing_mm: float) -> None:
    """Planes that share a slice and are no regular finer steps."""
    steps = np.diff(positions)
    shared = steps[np.diff(slices) == 0]
    if not len(shared) or shared.min() >= BESIDE:
        return
    step = np.median(steps)
    alike = np.abs(steps - step) < 0.1 * step
    if len(steps) > 1 and alike.mean() >= REGULAR_SHARE and shared.min() > 0.9 * step:
        return
    raise DicomError(
        f"expected the contours of a slice on one plane, found some {shared.min() * spacing_mm:.2f} mm beside others of their "
        "slice: holes and parts cannot be told from a second plane; draw them on the CT's slices"
    )


def _nearest_plane_each(within: Sequence[tuple[Outline, int]], planes: np.ndarray) -> list[tuple[Outline, int]]:
    best: dict[int, tuple[float, int]] = {}
    for (outline, k), plane in zip(within, planes, strict=True):
        candidate = (round(abs(outline.middle_z - k), 6), int(plane))
        best[k] = min(best.get(k, candidate), candidate)
    return [pair for pair, plane in zip(within, planes, strict=True) if best[pair[1]][1] == plane]


def _off_slice(chosen: Sequence[tuple[Outline, int]], spacing_mm: float) -> list[str]:
    notes = []
    if (offset := max(abs(outline.middle_z - k) for outline, k in chosen)) > OFF_SLICE_NOTED:
        notes.append(f"its contours lie up to {offset * spacing_mm:.2f} mm off the slices and were taken to the nearest one")
    if (tilt := max(outline.tilt for outline, _ in chosen)) > OFF_SLICE_NOTED:
        notes.append(f"its contours are tilted: points lie up to {tilt * spacing_mm:.2f} mm off the plane of their slice")
    return notes


def _gaps(slices: set[int]) -> list[str]:
    missing = max(slices) - min(slices) + 1 - len(slices)
    return [f"slices without contours between its first and its last: {missing}, left empty"] if missing else []
