"""Three planes of a CT with outlines, through the middle of the largest disagreement; millimetres are true to scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import SimpleITK as sitk
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from PIL import Image
from scipy import ndimage

from experiments.report.drawing import PIXELS_PER_INCH, WIDTH_INCH, new_figure, png_bytes, style
from src.data.preprocessing import array_XYZ

WINDOW_HU = (-160, 240)  # level 40, width 400: the usual soft-tissue window
MARGIN_MM = 25.0
SMALLEST_MM = 110.0
_NUM_GREYS = 160
_HALO = [withStroke(linewidth=2, foreground="black")]  # white is not seen on bone
# The plane's name; the axes that run right and down or up in it; what stands at its left, right, lower and upper edge.
_PLANES = (("axial", 2, 0, 1, "RLPA"), ("coronal", 1, 0, 2, "RLFH"), ("sagittal", 0, 1, 2, "APFH"))


@dataclass(frozen=True)
class Outline:
    """A mask, bool (x, y, z) on the CT's own grid, and how its edge is drawn."""

    label: str
    colour: str
    line: str
    mask_XYZ: np.ndarray


def draw_planes(ct: sitk.Image, outlines: Sequence[Outline], title: str) -> bytes:
    """A PNG with the axial, coronal and sagittal plane side by side.

    Args:
        ct: HU; axes are permuted and flipped to the patient's, a tilt that is left is not corrected.
        outlines: the drawn one first, then predictions; on the CT's grid. The first two choose the planes.
        title: above the planes.

    Returns:
        PNG with a palette, about 1200 pixels wide; the same bytes for the same input.
    """
    image = sitk.DICOMOrient(ct, "LPS")
    ct_XYZ, spacing = array_XYZ(image), np.array(image.GetSpacing())
    masks = [array_XYZ(_oriented(outline.mask_XYZ, ct)) > 0 for outline in outlines]
    middle = disagreement(masks[0], masks[1], spacing) if len(masks) > 1 else disagreement(masks[0], ~masks[0], spacing)
    first, last = _box(masks, middle, spacing)
    widths = [(last - first)[across] * spacing[across] for _, _, across, *_ in _PLANES]
    heights = [(last - first)[up] * spacing[up] for *_, up, _ in _PLANES]
    with style():
        figure = new_figure(0.75 + 0.94 * WIDTH_INCH * max(heights) / sum(widths))
        for axes, plane in zip(figure.subplots(1, 3, width_ratios=widths), _PLANES, strict=True):
            _draw(axes, plane, ct_XYZ, list(zip(masks, outlines, strict=True)), middle, (first, last), spacing)
        figure.suptitle(title, size=9, weight="bold", x=0.01, ha="left")
        lines = [Line2D([], [], color=one.colour, linestyle=one.line, linewidth=2.2, label=one.label) for one in outlines]
        figure.legend(
            handles=lines, loc="outside lower left", ncols=len(lines), fontsize=8, labelcolor="#111111", handlelength=3
        )
        return _with_palette(png_bytes(figure), [outline.colour for outline in outlines])


def disagreement(drawn_XYZ: np.ndarray, predicted_XYZ: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Where two masks differ most: the voxel that lies deepest within what only one of them holds.

    Returns:
        Its index (x, y, z); the middle of the drawn mask when both are equal, and of the grid when both are empty.
    """
    apart = drawn_XYZ ^ predicted_XYZ
    if apart.any():
        depth_mm = ndimage.distance_transform_edt(np.pad(apart, 1), sampling=spacing_mm)[1:-1, 1:-1, 1:-1]
        return np.array(np.unravel_index(int(depth_mm.argmax()), apart.shape))
    inside = np.argwhere(drawn_XYZ)
    return inside.mean(axis=0).round().astype(int) if len(inside) else np.array(drawn_XYZ.shape) // 2


def _oriented(mask_XYZ: np.ndarray, ct: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(mask_XYZ.transpose(2, 1, 0).astype(np.uint8)))
    image.CopyInformation(ct)
    return sitk.DICOMOrient(image, "LPS")


def _box(masks: Sequence[np.ndarray], middle: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First voxel and one past the last: all masks and the middle with a margin, within the CT."""
    marked = [np.argwhere(mask) for mask in masks if mask.any()] + [middle[None]]
    low, high = np.concatenate(marked).min(axis=0), np.concatenate(marked).max(axis=0)
    margin_mm = np.maximum(MARGIN_MM, (SMALLEST_MM - (high - low) * spacing) / 2)
    margin = np.ceil(margin_mm / spacing).astype(int)
    return np.maximum(low - margin, 0), np.minimum(high + margin + 1, masks[0].shape)


def _draw(axes: Axes, plane, ct_XYZ, outlines, middle, box, spacing) -> None:
    name, normal, across, up, edges = plane
    cut = [slice(start, end) for start, end in zip(*box, strict=True)]
    cut[normal] = int(middle[normal])
    low, high = box[0] * spacing, box[1] * spacing
    extent = (low[across], high[across], low[up], high[up])
    axes.imshow(ct_XYZ[tuple(cut)].T, cmap="gray", vmin=WINDOW_HU[0], vmax=WINDOW_HU[1], extent=extent, origin="lower",
                interpolation="bilinear")  # fmt: skip
    # A voxel more on each side, so that an outline closes where the mask leaves the picture.
    x = (np.arange(box[0][across] - 1, box[1][across] + 1) + 0.5) * spacing[across]
    y = (np.arange(box[0][up] - 1, box[1][up] + 1) + 0.5) * spacing[up]
    for mask, outline in outlines:
        section = np.pad(mask[tuple(cut)].T.astype(float), 1)
        if section.any():
            axes.contour(x, y, section, levels=[0.5], colors=[outline.colour], linestyles=[outline.line], linewidths=1.4)
    for other in (across, up):
        line = axes.axvline if other == across else axes.axhline
        line((middle[other] + 0.5) * spacing[other], color="white", linewidth=0.4, alpha=0.45, linestyle=":")
    axes.set_xlim(low[across], high[across])
    # In the axial plane the front is at the top, and y grows to the back.
    axes.set_ylim(*((high[up], low[up]) if name == "axial" else (low[up], high[up])))
    axes.set_aspect("equal", anchor="N")
    axes.set_title(name, size=8)
    axes.set_axis_off()
    _mark(axes, edges)


def _mark(axes: Axes, edges: str) -> None:
    """Directions at the edges, and a bar of 20 mm."""
    places = (
        (0.02, 0.5, "left", "center"),
        (0.98, 0.5, "right", "center"),
        (0.5, 0.02, "center", "bottom"),
        (0.5, 0.98, "center", "top"),
    )
    for letter, (x, y, horizontal, vertical) in zip(edges, places, strict=True):
        axes.text(
            x, y, letter, transform=axes.transAxes, color="white", size=7.5, ha=horizontal, va=vertical, path_effects=_HALO
        )
    left, right = axes.get_xlim()
    length = 20.0 / abs(right - left)
    axes.plot(
        [0.05, 0.05 + length],
        [0.05, 0.05],
        transform=axes.transAxes,
        color="white",
        linewidth=2,
        solid_capstyle="butt",
        path_effects=_HALO,
    )
    axes.text(0.05, 0.07, "20 mm", transform=axes.transAxes, color="white", size=6.5, va="bottom", path_effects=_HALO)


def _with_palette(png: bytes, colours: Sequence[str]) -> bytes:
    """A third of the bytes: greys, the outlines' colours, and these mixed with greys, as at the edge of a line."""
    greys = np.linspace(0, 255, _NUM_GREYS)[:, None].repeat(3, axis=1)
    pure = [255 * np.array(to_rgb(colour)) for colour in colours]
    mixed = [share * colour + (1 - share) * grey for colour in pure for share in (0.35, 0.7) for grey in (0, 85, 170, 255)]
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.rint(np.vstack([greys, *pure, *mixed])).astype(np.uint8)[:256].tobytes())
    content = BytesIO()
    image = Image.open(BytesIO(png)).convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
    image.save(content, "PNG", compress_level=9, dpi=(PIXELS_PER_INCH, PIXELS_PER_INCH))
    return content.getvalue()
