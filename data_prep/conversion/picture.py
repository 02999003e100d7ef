"""A case in one look: three planes of the CT with the outlines of its masks, as a small PNG. Nothing but the case is in it."""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
import SimpleITK as sitk
from PIL import Image

from data_prep.conversion.layout import lay_out
from data_prep.conversion.planes import choose_box, choose_planes, place_of
from data_prep.conversion.sections import outline
from data_prep.conversion.sheet import BACKGROUND, DIM_TEXT, GREYS, TEXT, Sheet
from src.data.structures import load_structures

DARKEST = 110  # luma below which a colour of the table is not seen on a CT and is lightened


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

    sheet = Sheet(layout, ct)
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
