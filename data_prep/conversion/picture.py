"""A case in one look: three planes of the CT with the outlines of its masks, as a small PNG. Nothing but the case is in it."""

from collections.abc import Mapping
from io import BytesIO
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
from PIL import Image  # comes with matplotlib

from data_prep.conversion.layout import LINE, Layout, lay_out
from data_prep.conversion.planes import AXIAL, CORONAL, SAGITTAL, choose_box, choose_planes, place_of
from data_prep.conversion.sections import AIR_HU, COLUMNS, ROWS, cut, outline
from src.data.structures import load_structures

WINDOW_HU = (-160, 240)
GREYS = 40
DOTS_PER_INCH = 100
BACKGROUND, TEXT, DIM_TEXT = (18, 20, 24), (226, 229, 233), (140, 146, 154)
DARKEST = 110  # luma below which a colour of the table is not seen on a CT and is lightened
FONT = FontProperties(fname=Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size=8)
NAMES = {AXIAL: "axial", CORONAL: "coronal", SAGITTAL: "sagittal"}
ENDS = (("R", "L"), ("A", "P"), ("I", "S"))  # where each LPS axis begins and ends


def draw_case(ct: sitk.Image, masks: Mapping[str, sitk.Image]) -> bytes:
    """Draws three planes of a CT with the outlines of its masks, radiological view: the patient's left is on the right.

    The planes lie along the patient's axes also where the grid does not (the picture then says so), and are chosen to cross as
    many structures as possible. The CT is shown in a soft-tissue window, one scale in millimetres everywhere.

    Args:
        ct: HU.
        masks: TG-263 name -> mask, 0 or 1; an empty one is named as empty. May be empty: then the CT alone is drawn.

    Returns:
        PNG with a palette, about 800 pixels wide; the same bytes for the same input.

    Raises:
        StructureError: a name that is not in plan/structures.yaml.
    """
    table = load_structures()
    order = {structure.name: number for number, structure in enumerate(table)}
    masks = {table[name].name: masks[name] for name in sorted(masks, key=lambda name: order.get(name, -1))}
    places = {name: place for name, mask in masks.items() if (place := place_of(mask))}
    box = choose_box(ct, places)
    planes = choose_planes(ct, places, box)
    layout = lay_out(box, planes, len(masks))
    colours = {name: visible(table[name].colour_rgb) for name in masks}

    sheet = _Sheet(layout, ct)
    drawn = set()
    for normal, frame in layout.frames.items():
        for name, place in places.items():
            if lines := outline(masks[name], place, frame):
                sheet.draw_lines(normal, lines, colours[name])
                drawn.add(name)
        sheet.mark_frame(normal, planes)
    for name, (x, y) in zip(masks, layout.entries, strict=True):
        note = legend_note(empty=name not in places, drawn=name in drawn)
        sheet.add_entry(x, y, colours[name], name + note, dim=name not in drawn)
    sheet.add_foot(tilt_degrees(ct))
    return _encode(sheet.render(), list(colours.values()))


def legend_note(*, empty: bool, drawn: bool) -> str:
    """What stands behind the name of a structure that no plane shows."""
    return " (empty)" if empty else "" if drawn else " (in other slices)"


def visible(colour_rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    """A colour of the table, mixed with white where it is too dark to be seen on a CT (luma as in ITU-R BT.601)."""
    luma = float(np.dot(colour_rgb, (0.299, 0.587, 0.114)))
    share = max(0.0, (DARKEST - luma) / (255 - luma))
    return tuple(round(value + share * (255 - value)) for value in colour_rgb)


def tilt_degrees(image: sitk.Image) -> float:
    """The largest angle between an axis of the grid and the nearest axis of the patient."""
    direction = np.abs(np.array(image.GetDirection()).reshape(3, 3))
    return float(np.degrees(np.arccos(np.clip(direction.max(axis=0), 0, 1)).max()))


class _Sheet:
    """The picture while it is drawn; positions are pixels from the upper left corner."""

    def __init__(self, layout: Layout, ct: sitk.Image) -> None:
        self._layout = layout
        width, self._height = layout.size
        self._figure = Figure(figsize=(width / DOTS_PER_INCH, self._height / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
        FigureCanvasAgg(self._figure)
        pixels = np.full((self._height, width, 3), BACKGROUND, np.uint8)
        for normal, frame in layout.frames.items():
            x, y = layout.corners[normal]
            pixels[y : y + frame.rows, x : x + frame.columns] = _grey(cut(ct, frame, AIR_HU))[..., None]
        self._figure.figimage(pixels, origin="upper", resize=False)

    def draw_lines(self, normal: int, lines: list[np.ndarray], colour_rgb: tuple[int, int, int]) -> None:
        """Draws closed lines of column and row in a frame, clipped to it."""
        x, y = self._layout.corners[normal]
        frame = self._layout.frames[normal]
        clip = Rectangle((x, self._height - y - frame.rows), frame.columns, frame.rows, transform=IdentityTransform())
        points = [np.stack([x + line[:, 0], self._height - y - line[:, 1]], axis=1) for line in lines]
        for width, colour in ((2.2, (0, 0, 0, 0.5)), (1.1, _share(colour_rgb))):
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
            **{"ha": align, "va": "center_baseline", "color": _share(colour_rgb), "fontproperties": FONT},
            **{"transform": IdentityTransform(), "parse_math": False},
        )

    def render(self) -> np.ndarray:
        """(height, width, 3) uint8."""
        self._figure.canvas.draw()
        return np.asarray(self._figure.canvas.buffer_rgba())[..., :3]

    def _fill(self, x: float, y: float, width: float, height: float, colour_rgb: tuple[int, int, int]) -> None:
        corner = (x, self._height - y - height)
        colour = _share(colour_rgb)
        self._figure.add_artist(Rectangle(corner, width, height, color=colour, lw=0, transform=IdentityTransform()))


def _grey(hu: np.ndarray) -> np.ndarray:
    """HU -> uint8 in as many steps as the palette has greys."""
    low, high = WINDOW_HU
    share = np.clip((np.nan_to_num(hu, nan=AIR_HU) - low) / (high - low), 0, 1)
    return np.rint(np.rint(share * (GREYS - 1)) * 255 / (GREYS - 1)).astype(np.uint8)


def _share(colour_rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    return tuple(value / 255 for value in colour_rgb)


def _encode(pixels: np.ndarray, colours_rgb: list[tuple[int, int, int]]) -> bytes:
    """A PNG with a palette of greys and of the structures' colours mixed with some of them: a third of the bytes."""
    greys = np.linspace(0, 255, GREYS)[:, None].repeat(3, axis=1)
    mixes = [(1, 0), (0.6, 30), (0.6, 130), (0.3, 30), (0.3, 130)][: max(1, (250 - GREYS) // max(1, len(colours_rgb)))]
    blends = [share * np.array(colour) + (1 - share) * grey for share, grey in mixes for colour in colours_rgb]
    palette = np.rint(np.concatenate([greys, [BACKGROUND, TEXT, DIM_TEXT], *([blends] if blends else [])])).astype(np.uint8)
    reference = Image.new("P", (1, 1))
    reference.putpalette(palette[:256].tobytes())
    image = Image.fromarray(pixels).quantize(palette=reference, dither=Image.Dither.NONE)
    content = BytesIO()
    image.save(content, "PNG", compress_level=6)
    return content.getvalue()
