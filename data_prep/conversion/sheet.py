"""The sheet of a case's picture while it is drawn; positions are pixels from its upper left corner."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import SimpleITK as sitk
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.transforms import IdentityTransform

from data_prep.conversion.layout import LINE, Layout
from data_prep.conversion.planes import AXIAL, CORONAL, SAGITTAL
from data_prep.conversion.sections import AIR_HU, COLUMNS, ROWS, cut

WINDOW_HU = (-160, 240)
GREYS = 40
DOTS_PER_INCH = 100
BACKGROUND, TEXT, DIM_TEXT = (18, 20, 24), (226, 229, 233), (140, 146, 154)
FONT = FontProperties(fname=Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size=8)
NAMES = {AXIAL: "axial", CORONAL: "coronal", SAGITTAL: "sagittal"}
ENDS = (("R", "L"), ("A", "P"), ("I", "S"))  # where each LPS axis begins and ends


class Sheet:
    """The CT in three frames on a dark ground, to be drawn on.

    Args:
        layout: where everything goes.
        ct: HU.
    """

    def __init__(self, layout: Layout, ct: sitk.Image) -> None:
        self._layout = layout
        width, self._height = layout.size
        self._figure = Figure(figsize=(width / DOTS_PER_INCH, self._height / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
        FigureCanvasAgg(self._figure)
        pixels = np.full((self._height, width, 3), BACKGROUND, np.uint8)
        for normal, frame in layout.frames.items():
            x, y = layout.corners[normal]
            pixels[y : y + frame.rows, x : x + frame.columns] = grey(cut(ct, frame, AIR_HU))[..., None]
        self._figure.figimage(pixels, origin="upper", resize=False)

    def draw_lines(self, normal: int, lines: list[np.ndarray], colour_rgb: tuple[int, int, int]) -> None:
        """Draws closed lines of column and row in a frame, clipped to it."""
        x, y = self._layout.corners[normal]
        frame = self._layout.frames[normal]
        clip = Rectangle((x, self._height - y - frame.rows), frame.columns, frame.rows, transform=IdentityTransform())
        points = [np.stack([x + line[:, 0], self._height - y - line[:, 1]], axis=1) for line in lines]
        for width, colour in ((2.2, (0, 0, 0, 0.5)), (1.1, share(colour_rgb))):
            lines_drawn = LineCollection(points, linewidths=width, colors=[colour], transform=IdentityTransform())
            self._figure.add_artist(lines_drawn, clip=False).set_clip_path(clip)

    def mark_frame(self, normal: int, planes: Mapping[int, float]) -> None:
        """Names a frame and its sides, and marks on its edges where the other two planes cut it."""
        x, y = self._layout.corners[normal]
        frame = self._layout.frames[normal]
        position = f"  {'xyz'[normal]} {planes[normal]:.1f} mm".replace("-", "−") if frame.columns > 270 else ""
        self.write(x, y - 10, NAMES[normal] + position, DIM_TEXT)
        (across, right), (down, below) = COLUMNS[normal], ROWS[normal]
        middle_x, middle_y = x + frame.columns / 2, y + frame.rows / 2
        self.write(x - 5, middle_y, ENDS[across][right < 0], TEXT, "right")
        self.write(x + frame.columns + 5, middle_y, ENDS[across][right > 0], TEXT)
        self.write(max(middle_x, x + 60), y - 10, ENDS[down][below < 0], TEXT, "center")
        self.write(middle_x, y + frame.rows + 9, ENDS[down][below > 0], TEXT, "center")
        column = x + right * (planes[across] - frame.corner_mm[across]) / frame.pixel_mm
        row = y + below * (planes[down] - frame.corner_mm[down]) / frame.pixel_mm
        for edge in (y - 4, y + frame.rows + 1):
            self._fill(column - 0.5, edge, 1, 3, DIM_TEXT)
        for edge in (x - 4, x + frame.columns + 1):
            self._fill(edge, row - 0.5, 3, 1, DIM_TEXT)

    def add_entry(self, x: float, y: float, colour_rgb: tuple[int, int, int], text: str, *, dim: bool) -> None:
        """One line of the legend."""
        self._fill(x, y + 2, 11, 11, colour_rgb)
        self.write(x + 18, y + 8, text, DIM_TEXT if dim else TEXT)

    def add_foot(self, tilt: float) -> None:
        """The scale bar, the window, and an oblique grid."""
        x, y = self._layout.foot
        frame = self._layout.frames[AXIAL]
        length_mm = 50 if frame.columns * frame.pixel_mm > 100 else 10
        self._fill(x, y + 7, length_mm / frame.pixel_mm, 2, TEXT)
        self.write(x + length_mm / frame.pixel_mm + 7, y + 8, f"{length_mm} mm", DIM_TEXT)
        self.write(x, y + 8 + LINE, f"window {WINDOW_HU[0]} to {WINDOW_HU[1]} HU".replace("-", "−"), DIM_TEXT)
        if tilt > 0.5:
            self.write(x, y + 8 + 2 * LINE, f"scan tilted by {tilt:.0f}°: resampled planes", DIM_TEXT)

    def write(self, x: float, y: float, text: str, colour_rgb: tuple[int, int, int], align: str = "left") -> None:
        """Text whose middle line is at ``y``."""
        self._figure.text(
            *(x, self._height - y, text),
            **{"ha": align, "va": "center_baseline", "color": share(colour_rgb), "fontproperties": FONT},
            **{"transform": IdentityTransform(), "parse_math": False},
        )

    def render(self) -> np.ndarray:
        """(height, width, 3) uint8."""
        self._figure.canvas.draw()
        return np.asarray(self._figure.canvas.buffer_rgba())[..., :3]

    def _fill(self, x: float, y: float, width: float, height: float, colour_rgb: tuple[int, int, int]) -> None:
        corner = (x, self._height - y - height)
        colour = share(colour_rgb)
        self._figure.add_artist(Rectangle(corner, width, height, color=colour, lw=0, transform=IdentityTransform()))


def grey(hu: np.ndarray) -> np.ndarray:
    """HU -> uint8 in as many steps as the palette has greys."""
    low, high = WINDOW_HU
    share = np.clip((np.nan_to_num(hu, nan=AIR_HU) - low) / (high - low), 0, 1)
    return np.rint(np.rint(share * (GREYS - 1)) * 255 / (GREYS - 1)).astype(np.uint8)


def share(colour_rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    return tuple(value / 255 for value in colour_rgb)
