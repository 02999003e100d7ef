"""One phantom case in memory: a CT and its contours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from data_prep.phantom import abdomen, head_neck
from data_prep.phantom.anatomy import Part, carve
from data_prep.phantom.contouring import draw_contours, visible_fields
from data_prep.phantom.patient import Grid, table_points
from data_prep.phantom.shapes import Ellipsoid, Shape, Without
from data_prep.phantom.site_shift import SiteShift
from data_prep.phantom.texture import grain, metal_streaks_hu, quantum_noise_hu
from data_prep.phantom.tissue import TISSUES, draw_means_hu

METAL_SHARE = 0.35


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """What makes one anatomy.

    Attributes:
        structures: the TG-263 names it contours.
        optional: groups of structures that some sites never draw.
        trimmable: those whose upper and lower end is a matter of habit.
        field_mm: lower and upper corner of the scanned box.
        parts: makes one patient's table from (fat_mm, generator).
        couch: the table top below the patient.
        filling_mm: where a metal filling may be, or None.
    """

    structures: tuple[str, ...]
    optional: tuple[tuple[str, ...], ...]
    trimmable: tuple[str, ...]
    field_mm: tuple[tuple[float, float, float], tuple[float, float, float]]
    parts: Callable[[float, np.random.Generator], list[Part]]
    couch: Shape
    filling_mm: tuple[float, float, float] | None


@dataclass(frozen=True, kw_only=True)
class PhantomCase:
    """One case.

    Attributes:
        hu: int16 (X, Y, Z), axes to the patient's left, back and head.
        masks: TG-263 name -> bool (X, Y, Z); what is not contoured is not in it.
        body: bool (X, Y, Z), inside the skin.
        grid: where the voxels lie.
    """

    hu: np.ndarray
    masks: dict[str, np.ndarray]
    body: np.ndarray
    grid: Grid


def _couch(y_mm: float) -> Without:
    return Without(
        Ellipsoid((0, y_mm + 20, 0), (230, 20, np.inf), exponent=6), (Ellipsoid((0, y_mm + 20, 0), (226, 16, np.inf)),)
    )


ANATOMIES = {
    "liver": Anatomy(
        structures=abdomen.STRUCTURES,
        optional=abdomen.OPTIONAL,
        trimmable=("SpinalCord", "A_Aorta", "V_Venacava_I", "Esophagus"),
        field_mm=abdomen.FIELD_MM,
        parts=abdomen.abdomen_parts,
        couch=_couch(128),
        filling_mm=None,
    ),
    "head_neck": Anatomy(
        structures=head_neck.STRUCTURES,
        optional=head_neck.OPTIONAL,
        trimmable=("SpinalCord", "Esophagus", "Brainstem", "Larynx"),
        field_mm=head_neck.FIELD_MM,
        parts=head_neck.head_neck_parts,
        couch=_couch(112),
        filling_mm=head_neck.FILLING_MM,
    ),
}


def make_case(anatomy: Anatomy, shift: SiteShift, rng: np.random.Generator) -> PhantomCase:
    """Makes one random patient, scans it and contours it, as one site would.

    Args:
        anatomy: of ``ANATOMIES``.
        shift: the site's.
        rng: the case's own.
    """
    grid = Grid.covering(*anatomy.field_mm, shift.spacing_mm)
    points = table_points(grid, body_scale=shift.body_scale, rng=rng)
    fat_mm = shift.fat_mm * float(np.clip(rng.normal(1, 0.25), 0.5, 1.6))
    parts = anatomy.parts(fat_mm, rng)
    fields = carve(parts, points, rng)
    enhancement = float(np.clip(rng.normal(shift.enhancement, 0.1), 0.2, 1.1))
    hu = _painted(parts, fields, draw_means_hu(shift.phase, enhancement, rng), grid, anatomy.couch, rng)
    if anatomy.filling_mm and rng.random() < METAL_SHARE:
        side = rng.choice((-1, 1))
        hu += metal_streaks_hu(points, (side * anatomy.filling_mm[0], *anatomy.filling_mm[1:]), rng.uniform(150, 500), rng)
    masks = draw_contours(visible_fields(parts, fields, anatomy.structures), fields["body"], grid, shift, rng)
    return PhantomCase(hu=_scanned(hu, grid, shift, rng), masks=masks, body=fields["body"] < 0, grid=grid)


def _painted(
    parts: Sequence[Part],
    fields: Mapping[str, np.ndarray],
    means_hu: Mapping[str, float],
    grid: Grid,
    couch: Shape,
    rng: np.random.Generator,
) -> np.ndarray:
    """The noiseless CT: every part over those before it, mixed at its surface as a voxel of that size would."""
    texture, voxel_mm = grain(grid, rng), np.float32(np.mean(grid.spacing_mm))
    hu = np.full(grid.size, TISSUES["air"].native_hu, np.float32)
    layers = [("couch", couch(grid.points_mm(), {}))]
    layers += [(part.tissue, fields[part.name]) for part in parts if part.tissue and part.name in fields]
    for tissue, field in layers:
        share = np.clip(np.float32(0.5) - field / voxel_mm, 0, 1)
        hu += share * (np.float32(means_hu[tissue]) + np.float32(TISSUES[tissue].grain_hu) * texture - hu)
    return hu


def _scanned(hu: np.ndarray, grid: Grid, shift: SiteShift, rng: np.random.Generator) -> np.ndarray:
    blurred = ndimage.gaussian_filter(hu, np.divide(shift.blur_mm, grid.spacing_mm), mode="nearest")
    noisy = blurred + quantum_noise_hu(blurred, grid, shift.noise_hu, rng)
    noisy += np.float32(shift.hu_offset) * np.clip(blurred / 1000 + 1, 0, 1)
    return np.round(np.clip(noisy, -1024, 3071)).astype(np.int16)
