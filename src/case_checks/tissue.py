"""Does an organ look like its tissue? The median HU tells contours that lie on another patient's CT, or beside the organ."""

from collections.abc import Iterator, Mapping

import numpy as np

from src.case_checks.finding import Finding, warning
from src.case_checks.mask_facts import MaskFacts
from src.case_checks.normal_anatomy import load_normal_anatomy

MIN_VOXELS = 20  # fewer are mostly edge


def check_tissue(case: str, hu_ZYX: np.ndarray, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    """Masks whose median HU is that of another tissue.

    Args:
        case: pseudonym.
        hu_ZYX: the CT, in patient axes.
        masks: TG-263 name -> facts.
    """
    for name, facts in masks.items():
        median_hu = load_normal_anatomy()[name].median_hu
        if median_hu is None or facts.num_voxels < MIN_VOXELS:
            continue
        if not median_hu[0] <= np.median(hu_ZYX[facts.box][facts.inside_ZYX]) <= median_hu[1]:
            yield warning(
                case,
                f"half of {name} or more is not its tissue (median outside {median_hu[0]:g} to {median_hu[1]:g} HU): "
                "do its contours belong to this CT?",
            )
