"""How one site's patients, scanner and contouring differ from the next one's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data_prep.phantom.tissue import PHASES

_SHARED, _OF_SITE, _OF_SPLIT, _OF_CASE = 0, 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class SiteShift:
    """What is the same for all cases of one site; recorded in its dataset's provenance.

    Attributes:
        noise_hu: standard deviation of quantum noise behind 320 mm of water.
        blur_mm: standard deviation of the reconstruction's blur.
        hu_offset: calibration error, added to every voxel but air.
        phase: contrast phase, of ``tissue.PHASES``.
        enhancement: mean strength of the contrast, 0 to 1.2; each case differs by about 0.1.
        spacing_mm: voxel size in x, y, z.
        body_scale: mean size of the patients, 1 for the table's own.
        fat_mm: mean thickness of the fat under the skin.
        contour_margin_mm: structure -> how far outside the organ this site draws it, negative inside.
        contour_trim: structure -> (share left out at the foot end, at the head end).
        never_contoured: structures this site does not draw.
        skipped_share: share of the other contours that single cases lack.
    """

    noise_hu: float
    blur_mm: float
    hu_offset: float
    phase: str
    enhancement: float
    spacing_mm: tuple[float, float, float]
    body_scale: float
    fat_mm: float
    contour_margin_mm: dict[str, float]
    contour_trim: dict[str, tuple[float, float]]
    never_contoured: tuple[str, ...]
    skipped_share: float


def draw_site_shift(
    seed: int,
    site: int,
    *,
    structures: Sequence[str],
    optional: Sequence[tuple[str, ...]],
    trimmable: Sequence[str],
    spacing_mm: tuple[float, float, float],
) -> SiteShift:
    """The shift of one site, from the federation's seed and the site's number alone.

    The first site contours everything; each later one never draws two of the optional groups, and no two of them the same two.

    Args:
        seed: the federation's.
        site: 0 for the first.
        structures: all that the anatomy has.
        optional: groups of structures that a site draws or does not draw.
        trimmable: structures whose upper and lower end is a matter of habit.
        spacing_mm: the usual voxel size, which a site's differs from by up to 20 %.
    """
    shared = _generator(seed, _SHARED)
    group_order, phase_order = shared.permutation(len(optional)), shared.permutation(len(PHASES))
    rng = _generator(seed, _OF_SITE, site)
    in_plane, through = rng.uniform(0.9, 1.1), rng.uniform(0.85, 1.2)
    return SiteShift(
        noise_hu=round(rng.uniform(9, 24), 2),
        blur_mm=round(rng.uniform(0.8, 1.8), 2),
        hu_offset=round(rng.uniform(-12, 12), 2),
        phase=PHASES[phase_order[site % len(PHASES)]],
        enhancement=round(rng.uniform(0.35, 0.75), 3),
        spacing_mm=tuple(
            round(step * factor, 3) for step, factor in zip(spacing_mm, (in_plane, in_plane, through), strict=True)
        ),
        body_scale=round(rng.uniform(0.93, 1.06), 3),
        fat_mm=round(rng.uniform(8, 22), 2),
        contour_margin_mm={name: round(float(np.clip(rng.normal(0, 0.6), -1.2, 1.2)), 2) for name in structures},
        contour_trim={name: tuple(round(float(end), 3) for end in rng.uniform(0, 0.15, 2)) for name in trimmable},
        never_contoured=_never_contoured(site, [optional[place] for place in group_order]),
        skipped_share=round(rng.uniform(0.02, 0.08), 3),
    )


def split_generator(seed: int, site: int) -> np.random.Generator:
    """The random numbers that split one site's cases."""
    return _generator(seed, _OF_SPLIT, site)


def case_generator(seed: int, site: int, case: int) -> np.random.Generator:
    """The random numbers of one case: the same whatever other cases and sites there are."""
    return _generator(seed, _OF_CASE, site, case)


def _generator(seed: int, purpose: int, site: int = 0, case: int = 0) -> np.random.Generator:
    # Always four numbers: NumPy pads with zeros, so (seed, 1) and (seed, 1, 0) would be one stream.
    return np.random.default_rng([seed, purpose, site, case])


def _never_contoured(site: int, groups: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    if site == 0:
        return ()
    first = 2 * site % len(groups)
    second = (first + 1 + 2 * site // len(groups)) % len(groups)
    return tuple(sorted({*groups[first], *groups[second]}))
