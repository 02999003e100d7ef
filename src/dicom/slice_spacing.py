"""Do slices follow each other at one distance, straight along their normal?"""

from collections.abc import Sequence

import numpy as np

from src.dicom.labels import listed
from src.dicom.objects import CTSlice
from src.errors import DicomError

SLICE_SPACING_MM = (0.05, 20.0)
STEP_TOLERANCE = 0.01  # of the distance of slices
MIN_TOLERANCE_MM = 0.01
DRIFT_TOLERANCE = 0.1  # of a pixel, over the whole stack; directions written with four decimals need half of it


def check_steps(slices: Sequence[CTSlice], normal: np.ndarray) -> float:
    """The distance of neighbouring slices.

    Args:
        slices: in order along ``normal``, no two at one place.
        normal: (3,) unit vector, row × column.

    Returns:
        Millimetres, the mean over the stack.

    Raises:
        DicomError: fewer than two slices, tilted, shifted against each other, one missing, or at varying distances.
    """
    if len(slices) < 2:
        raise DicomError(f"a single slice ({listed(image.file for image in slices)}) has no distance to a next one")
    position_mm = np.array([image.position_mm for image in slices])
    offset_mm = position_mm - position_mm[0]
    height_mm = offset_mm @ normal
    _check_drift(slices, offset_mm - np.outer(height_mm, normal), height_mm)
    steps_mm = np.diff(height_mm)
    tolerance_mm = max(STEP_TOLERANCE * float(np.median(steps_mm)), MIN_TOLERANCE_MM)
    spacing_mm = round(float(height_mm[-1] / (len(slices) - 1)), 9)  # 3, not 2.9999999999998486
    regular_mm = spacing_mm * np.arange(len(slices))
    # Steps of 1 % too much each would add up, so the places count as well as the steps.
    if np.abs(steps_mm - spacing_mm).max() > tolerance_mm:
        raise DicomError(_uneven(slices, steps_mm, tolerance_mm))
    if np.abs(height_mm - regular_mm).max() > tolerance_mm:
        raise DicomError(f"variable spacing: slices drift {np.abs(height_mm - regular_mm).max():.3g} mm off one regular grid")
    if not SLICE_SPACING_MM[0] <= spacing_mm <= SLICE_SPACING_MM[1]:
        low, high = SLICE_SPACING_MM
        raise DicomError(f"expected slices {low:g} to {high:g} mm apart, found {spacing_mm:.3g} mm")
    return spacing_mm


def _check_drift(slices: Sequence[CTSlice], across_mm: np.ndarray, height_mm: np.ndarray) -> None:
    """Positions that leave the line through the first pixel along the normal."""
    tolerance_mm = DRIFT_TOLERANCE * min(slices[0].row_spacing_mm, slices[0].column_spacing_mm)
    drift_mm = np.linalg.norm(across_mm, axis=1)
    if drift_mm.max() <= tolerance_mm:
        return
    straight_mm = np.outer(height_mm / height_mm[-1], across_mm[-1])
    if np.linalg.norm(across_mm - straight_mm, axis=1).max() <= tolerance_mm:
        degrees = np.degrees(np.arctan2(drift_mm[-1], height_mm[-1]))
        raise DicomError(
            f"gantry tilt of {degrees:.1f}°: its slices are sheared against each other ({drift_mm[-1]:.3g} mm over "
            f"{len(slices)} slices), and straightening them would mean resampling"
        )
    jumps_mm = np.linalg.norm(np.diff(across_mm, axis=0), axis=1)
    shifted = [image.file for image, jump_mm in zip(slices[1:], jumps_mm, strict=True) if jump_mm > tolerance_mm]
    raise DicomError(f"slices are shifted sideways against each other, up to {drift_mm.max():.3g} mm ({listed(shifted)})")


def _uneven(slices: Sequence[CTSlice], steps_mm: np.ndarray, tolerance_mm: float) -> str:
    """Whole multiples of the usual step are missing slices; anything else is variable spacing."""
    usual_mm = float(np.median(steps_mm))
    multiples = np.round(steps_mm / usual_mm)
    holes = [number for number, step in enumerate(multiples) if step > 1]
    if holes and np.abs(steps_mm - multiples * usual_mm).max() <= tolerance_mm * multiples.max():
        missing = int(sum(multiples[number] - 1 for number in holes))
        before, after = slices[holes[0]].file.label, slices[holes[0] + 1].file.label
        return (
            f"{missing} missing slice{'s' * (missing > 1)}: a step of {steps_mm[holes[0]]:.4g} mm between {before} and {after} "
            f"where others are {usual_mm:.4g} mm"
        )
    odd = int(np.argmax(np.abs(steps_mm - usual_mm)))
    return (
        f"variable spacing: slices {steps_mm.min():.4g} to {steps_mm.max():.4g} mm apart, "
        f"first off between {slices[odd].file.label} and {slices[odd + 1].file.label}"
    )
