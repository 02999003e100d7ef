"""Flat cuts through a CT and its masks along the patient's axes, whatever way the grid lies."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from contourpy import contour_generator

from data_prep.conversion.planes import AXIAL, CORONAL, SAGITTAL, Place

AIR_HU = -1024
# LPS axis and sign along which columns and rows of a picture grow: the patient's left on the right, front or head above,
# and the front on the left of a sagittal plane.
COLUMNS = {AXIAL: (0, 1), CORONAL: (0, 1), SAGITTAL: (1, 1)}
ROWS = {AXIAL: (1, 1), CORONAL: (2, -1), SAGITTAL: (2, -1)}


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A rectangle across the patient, in pixels.

    Attributes:
        normal: AXIAL, CORONAL or SAGITTAL.
        corner_mm: (3,) LPS of the upper left corner (of the pixel, not its centre).
        pixel_mm: edge of a square pixel.
        columns, rows: its size in pixels.
    """

    normal: int
    corner_mm: np.ndarray
    pixel_mm: float
    columns: int
    rows: int

    def part(self, first_column: int, first_row: int, columns: int, rows: int) -> "Frame":
        """A part of it, by its first pixel and its size in pixels."""
        corner_mm = self.corner_mm.copy()
        for (axis, sign), pixels in ((COLUMNS[self.normal], first_column), (ROWS[self.normal], first_row)):
            corner_mm[axis] += sign * pixels * self.pixel_mm
        return Frame(normal=self.normal, corner_mm=corner_mm, pixel_mm=self.pixel_mm, columns=columns, rows=rows)


def frame_through(box: tuple[np.ndarray, np.ndarray], normal: int, position_mm: float, pixel_mm: float) -> Frame:
    """The frame that shows a box in one plane; at least one pixel wide and high."""
    first, last = box
    corner_mm = np.where([ROWS[normal] == (axis, -1) for axis in range(3)], last, first).astype(float)
    corner_mm[normal] = position_mm
    columns, rows = (max(1, round((last - first)[axis] / pixel_mm)) for axis, _ in (COLUMNS[normal], ROWS[normal]))
    return Frame(normal=normal, corner_mm=corner_mm, pixel_mm=pixel_mm, columns=columns, rows=rows)


def cut(image: sitk.Image, frame: Frame, outside: float) -> np.ndarray:
    """(rows, columns) float32 values in a frame, linear between voxel centres; ``outside`` where the image does not reach."""
    direction = np.zeros((3, 3))
    for column, (axis, sign) in enumerate((COLUMNS[frame.normal], ROWS[frame.normal])):
        direction[axis, column] = sign
    direction[:, 2] = np.cross(direction[:, 0], direction[:, 1])
    origin_mm = frame.corner_mm + direction[:, :2].sum(axis=1) * frame.pixel_mm / 2
    section = sitk.Resample(
        image,
        (frame.columns, frame.rows, 1),
        sitk.Transform(),
        sitk.sitkLinear,
        origin_mm.tolist(),
        (frame.pixel_mm,) * 3,
        direction.ravel().tolist(),
        outside,
        sitk.sitkFloat32,
    )
    return sitk.GetArrayFromImage(section)[0]


def outline(mask: sitk.Image, place: Place, frame: Frame) -> list[np.ndarray]:
    """The outlines of a mask in a frame: closed lines of (N, 2) column and row in pixels; none where it is not crossed.

    Args:
        mask: 0 outside, 1 inside.
        place: where the mask lies; only there it is cut.
        frame: where to draw.
    """
    normal, margin_mm = frame.normal, 2 * frame.pixel_mm
    reach_mm = max(mask.GetSpacing())
    if not place.first_mm[normal] - reach_mm < frame.corner_mm[normal] < place.last_mm[normal] + reach_mm:
        return []
    window = []
    for (axis, sign), pixels in ((COLUMNS[normal], frame.columns), (ROWS[normal], frame.rows)):
        ends = [sign * (end[axis] - frame.corner_mm[axis]) for end in (place.first_mm, place.last_mm)]
        first = max(int((min(ends) - margin_mm) // frame.pixel_mm), 0)
        window.append((first, min(int((max(ends) + margin_mm) // frame.pixel_mm) + 1, pixels) - first))
    (first_column, columns), (first_row, rows) = window
    if columns < 1 or rows < 1:
        return []
    inside = np.pad(cut(mask, frame.part(first_column, first_row, columns, rows), 0), 1)
    lines = contour_generator(z=inside).lines(0.5)
    # An array index is the centre of a pixel; the frame's zero is the edge of the first, and the padding shifts by one.
    return [line + np.array([first_column - 0.5, first_row - 0.5]) for line in lines]
