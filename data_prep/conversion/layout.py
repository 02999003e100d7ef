"""Where everything of a case's picture goes: axial above coronal, coronal beside sagittal, the legend in the free corner.

One scale for all three, so that what stands below or beside each other is the same millimetre of the patient.
"""

from dataclasses import dataclass

import numpy as np

from data_prep.conversion.planes import AXIAL, CORONAL, SAGITTAL
from data_prep.conversion.sections import Frame, frame_through

LARGEST_PANELS = (820, 860)  # pixels, both columns and both rows of panels together
LARGEST_PIXELS_PER_MM = 6.0
MARGIN, GAP, LINE = 24, 42, 17
LEGEND_WIDTH, COLUMN_WIDTH = 230, 220
FOOT_LINES = 3


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Places in pixels, counted from the upper left corner.

    Attributes:
        size: width and height of the picture.
        frames: the three frames.
        corners: column and row of the upper left corner of each frame.
        entries: column and row of each entry of the legend.
        foot: column and row of the lines below the legend.
    """

    size: tuple[int, int]
    frames: dict[int, Frame]
    corners: dict[int, tuple[int, int]]
    entries: list[tuple[int, int]]
    foot: tuple[int, int]


def lay_out(box: tuple[np.ndarray, np.ndarray], planes: dict[int, float], num_entries: int) -> Layout:
    """Places three planes of a box and a legend.

    Args:
        box: (3,) first and last corner of what is shown, LPS millimetres.
        planes: AXIAL, CORONAL, SAGITTAL -> position in millimetres.
        num_entries: lines of the legend.
    """
    width_mm, depth_mm, height_mm = box[1] - box[0]
    across, down = LARGEST_PANELS
    scale = min(across / (width_mm + depth_mm), down / (depth_mm + height_mm), LARGEST_PIXELS_PER_MM)
    frames = {normal: frame_through(box, normal, position, 1 / scale) for normal, position in planes.items()}
    left, top = frames[AXIAL].columns, frames[AXIAL].rows

    right_x = MARGIN + left + GAP
    room = max(LEGEND_WIDTH, frames[SAGITTAL].columns)
    per_row = max(1, room // COLUMN_WIDTH)
    num_rows = -(-num_entries // per_row)
    entries = [(right_x + COLUMN_WIDTH * (n // num_rows), MARGIN + LINE * (n % num_rows)) for n in range(num_entries)]
    foot_y = max(MARGIN + LINE * (num_rows + 1), MARGIN + top - LINE * FOOT_LINES)
    lower_y = max(MARGIN + top, foot_y + LINE * FOOT_LINES) + GAP
    return Layout(
        size=(right_x + room + MARGIN, lower_y + frames[CORONAL].rows + MARGIN),
        frames=frames,
        corners={AXIAL: (MARGIN, MARGIN), CORONAL: (MARGIN, lower_y), SAGITTAL: (right_x, lower_y)},
        entries=entries,
        foot=(right_x, foot_y),
    )
