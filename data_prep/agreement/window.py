"""One window for all sites: the HU that the contoured structures have, within what the tissue in question needs.

Source: nnU-Net clips CT to the 0.5 and 99.5 percentile of HU in the foreground (Isensee et al. 2021, Nature Methods 18:203). A
structure of bone or air stretches that far beyond what tells soft organs apart, so the window is bounded.
"""

from collections.abc import Sequence

import numpy as np

from data_prep.agreement.reading import SiteFingerprint
from src.case_checks.normal_anatomy import load_normal_anatomy
from src.privacy import FEWEST_PATIENTS

BOUNDS_HU = {"soft": (-200, 300), "bone": (-200, 1500), "all": (-1000, 2000)}
STEP_HU = 10
OFFSET_HU = 30
WATER_HU = 0
LOWEST, MIDDLE, HIGHEST = 0.5, 50.0, 99.5


def propose_window_hu(sites: Sequence[SiteFingerprint], tissue: str) -> tuple[int, int] | None:
    """Lower and upper HU.

    Args:
        sites: their fingerprints.
        tissue: of ``BOUNDS_HU``, what the window must not exceed.

    Returns:
        None where no site told of its HU, or where all they contour lies outside the bounds.
    """
    found = foreground_hu(sites)
    if found is None:
        return None
    low, high = (int(bound) for bound in np.clip(_rounded(found), *BOUNDS_HU[tissue]))
    return (low, high) if low < high else None


def foreground_hu(sites: Sequence[SiteFingerprint]) -> tuple[float, float] | None:
    """The 0.5 and 99.5 percentile of HU in the contoured structures, mean over all training cases of all sites."""
    telling = [site for site in sites if site.contoured_hu]
    if not telling:
        return None
    weights = [site.train_cases or FEWEST_PATIENTS for site in telling]
    low, high = (
        float(np.average([site.contoured_hu[percent] for site in telling], weights=weights)) for percent in (LOWEST, HIGHEST)
    )
    return low, high


def _rounded(range_hu: tuple[float, float]) -> tuple[float, float]:
    """Outwards to tens."""
    return np.floor(range_hu[0] / STEP_HU) * STEP_HU, np.ceil(range_hu[1] / STEP_HU) * STEP_HU


def explain_window(sites: Sequence[SiteFingerprint], tissue: str) -> list[str]:
    """Why it is this window, one plain line each."""
    low, high = foreground_hu(sites)
    bounds = BOUNDS_HU[tissue]
    return [
        f"the contoured structures lie between {low:.0f} and {high:.0f} HU (0.5 and 99.5 %); bounded to {bounds[0]} to "
        f"{bounds[1]} HU by --tissue {tissue}, because what lies beyond tells no such organs apart",
        "the same numbers at every site: a window that each fits to its own scans means another input to one shared network",
    ]


def hu_warnings(sites: Sequence[SiteFingerprint]) -> list[str]:
    """Soft organs of which two sites see clearly different HU: an offset, another scanner setting, or contrast medium.

    Bone, lung and what holds air differ between sites by their contours and voxels alone, and say nothing.
    """
    warnings = []
    for name, normal in load_normal_anatomy().items():
        if normal.median_hu is None or not normal.median_hu[0] < WATER_HU < normal.median_hu[1]:
            continue
        rows = {site.site: site.structures[name].hu for site in sites if name in site.structures}
        medians = {site: row[MIDDLE] for site, row in rows.items() if row}
        if len(medians) > 1 and max(medians.values()) - min(medians.values()) > OFFSET_HU:
            lowest, highest = min(medians, key=medians.get), max(medians, key=medians.get)
            warnings.append(
                f"{name} has a median of {medians[lowest]:.0f} HU at {lowest} and {medians[highest]:.0f} HU at {highest}: "
                "contrast medium, another way of contouring, or an offset of the HU; look before you train"
            )
    return warnings
