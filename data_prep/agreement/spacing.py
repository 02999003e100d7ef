"""One spacing for all sites: what half of all training cases have, rounded to what people can read.

Every case counts the same, wherever it is. A site tells five percentiles of its cases; each stands for the cases nearest to it.
In plane the median is rounded up, so that no more cases than necessary are blown up to voxels that they never had, and never
is it finer than what most sites have. Along z it is rounded to the nearest half millimetre.

Source: the median spacing over all cases is nnU-Net's rule (Isensee et al. 2021, Nature Methods 18:203). Where slices are three
times as thick as pixels are wide, nnU-Net takes the thinnest tenth along z instead; here this is said, not done: thinner slices
cost memory at every site, and a site with a GPU may be the only one to afford them.
"""

import math
from collections.abc import Sequence

import numpy as np

from data_prep.agreement.reading import SiteFingerprint
from src.privacy import FEWEST_PATIENTS

SHARE_OF_PERCENT = {5.0: 0.15, 25.0: 0.225, 50.0: 0.25, 75.0: 0.225, 95.0: 0.15}
ANISOTROPIC = 3.0
DISAGREEMENT = 2.0
Z_STEP_MM = 0.5


def propose_spacing_mm(sites: Sequence[SiteFingerprint]) -> tuple[float, float, float] | None:
    """Spacing in x, y, z; x and y are the same. None where no site told of its spacing."""
    telling = _telling(sites)
    if not telling:
        return None
    in_plane = max(weighted_median_mm(telling, axis) for axis in "xy")
    most_sites = float(np.median([site.spacing_mm["x"][50.0] for site in telling]))
    across = _round_up(max(in_plane, most_sites), 0.25 if in_plane < 2 else 0.5)
    along = max(Z_STEP_MM, round(weighted_median_mm(telling, "z") / Z_STEP_MM) * Z_STEP_MM)
    return across, across, along


def _telling(sites: Sequence[SiteFingerprint]) -> list[SiteFingerprint]:
    return [site for site in sites if all((*site.spacing_mm.values(), *site.size_voxels.values()))]


def weighted_median_mm(sites: Sequence[SiteFingerprint], axis: str) -> float:
    """The spacing along one axis that half of all training cases do not exceed."""
    rows = [
        (value, share * (site.train_cases or FEWEST_PATIENTS))
        for site in sites
        for percent, value in site.spacing_mm[axis].items()
        for share in [SHARE_OF_PERCENT[percent]]
    ]
    values, weights = (np.array(column) for column in zip(*sorted(rows), strict=True))
    return float(values[np.searchsorted(np.cumsum(weights), weights.sum() / 2 - 1e-9)])


def _round_up(value: float, step: float) -> float:
    return math.ceil(value / step - 0.05) * step  # 1.01 is 1.0 measured twice, not 1.25


def explain_spacing(sites: Sequence[SiteFingerprint], spacing_mm: Sequence[float]) -> list[str]:
    """Why it is this spacing, and what it costs, one plain line each."""
    telling = _telling(sites)
    medians = {axis: weighted_median_mm(telling, axis) for axis in "xyz"}
    lines = [
        f"half of all training cases have at most {max(medians['x'], medians['y']):.2f} mm in plane and "
        f"{medians['z']:.2f} mm between slices; rounded up in plane, to the nearest {Z_STEP_MM:g} mm along z",
        _memory_line(telling, spacing_mm),
    ]
    if spacing_mm[2] >= ANISOTROPIC * spacing_mm[0]:
        thin = min(site.spacing_mm["z"][5.0] for site in telling)
        lines.append(
            f"slices are {spacing_mm[2] / spacing_mm[0]:.1f} times as thick as pixels are wide: nnU-Net would go towards the "
            f"thinnest slices ({thin:g} mm), at {spacing_mm[2] / thin:.1f} times the memory; use strides of 1 along z first"
        )
    return lines


def _memory_line(sites: Sequence[SiteFingerprint], spacing_mm: Sequence[float]) -> str:
    extent_mm = [max(site.size_voxels[axis][50.0] * site.spacing_mm[axis][50.0] for site in sites) for axis in "xyz"]
    voxels = [math.ceil(length / step) for length, step in zip(extent_mm, spacing_mm, strict=True)]
    return (
        f"a CT of {' x '.join(f'{length:.0f}' for length in extent_mm)} mm becomes {' x '.join(map(str, voxels))} voxels, "
        f"{math.prod(voxels) * 2 / 1e6:.1f} MB; half the spacing in plane takes 4 times the memory and time. "
        "What the weakest site cannot train with is too fine: then use a coarser one at all sites"
    )


def spacing_warnings(sites: Sequence[SiteFingerprint]) -> list[str]:
    """Where sites differ more than one spacing can serve well."""
    warnings = []
    for axes, what in (("x", "pixel width"), ("z", "slice spacing")):
        medians = {site.site: site.spacing_mm[axes][50.0] for site in _telling(sites)}
        if len(medians) > 1 and max(medians.values()) > DISAGREEMENT * min(medians.values()):
            finest, coarsest = min(medians, key=medians.get), max(medians, key=medians.get)
            warnings.append(
                f"{what} differs more than {DISAGREEMENT:g}-fold: {medians[finest]:g} mm at {finest}, {medians[coarsest]:g} mm "
                f"at {coarsest}; one of them loses detail or has none to give"
            )
    return warnings
