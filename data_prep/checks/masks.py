"""Are the masks plausible, each and together? Empty, tiny, huge, twice the same, swapped sides, impossible overlaps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import SimpleITK as sitk

from data_prep.checks.finding import Finding, refused, warning
from src.data.structures import load_structures

TINY_VOXELS = 5
HUGE_SHARE = 0.5
OVERLAP_SHARE = 0.1  # of the smaller of two masks; less is a seam between neighbours


@dataclass(frozen=True, kw_only=True)
class MaskFacts:
    """What is kept of a mask after reading it.

    Attributes:
        inside: flat positions of its voxels, sorted.
        share: of the whole volume.
        centroid_lps_mm: its middle in patient coordinates (x grows to the patient's left), or None where it is empty.
    """

    inside: np.ndarray
    share: float
    centroid_lps_mm: np.ndarray | None


def mask_facts(mask: sitk.Image) -> MaskFacts:
    """Measures one mask of 0 and 1."""
    mask_ZYX = sitk.GetArrayViewFromImage(mask)
    inside = np.flatnonzero(mask_ZYX)
    if not len(inside):
        return MaskFacts(inside=inside, share=0.0, centroid_lps_mm=None)
    middle_zyx = [float(np.mean(axis)) for axis in np.unravel_index(inside, mask_ZYX.shape)]
    centroid = mask.TransformContinuousIndexToPhysicalPoint(middle_zyx[::-1])
    return MaskFacts(inside=inside, share=len(inside) / mask_ZYX.size, centroid_lps_mm=np.array(centroid))


def check_masks(case: str, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    """All findings on the masks of one case, TG-263 name -> facts."""
    for name, facts in masks.items():
        if not len(facts.inside):
            yield warning(case, f"the mask of {name} is empty: recorded as looked for and not present")
        elif len(facts.inside) < TINY_VOXELS:
            yield warning(case, f"the mask of {name} has fewer than {TINY_VOXELS} voxels")
        elif facts.share > HUGE_SHARE:
            yield refused(case, f"the mask of {name} fills more than half of the volume: inverted?")
    yield from _check_duplicates(case, masks)
    yield from _check_sides(case, masks)
    yield from _check_overlaps(case, masks)


def _check_duplicates(case: str, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for name, facts in masks.items():
        if len(facts.inside):
            owner = first.setdefault(sha256(facts.inside.tobytes()).hexdigest(), name)
            if owner != name:
                yield refused(case, f"{owner} and {name} are the same voxels: one file was exported twice")


def _check_sides(case: str, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    for left, facts in masks.items():
        right = load_structures()[left].partner
        if not left.endswith("_L") or right not in masks:
            continue
        if facts.centroid_lps_mm is None or masks[right].centroid_lps_mm is None:
            continue
        if facts.centroid_lps_mm[0] < masks[right].centroid_lps_mm[0]:
            yield refused(case, f"{left} lies to the right of {right}: the names or the image are swapped")


def _check_overlaps(case: str, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    for name, facts in masks.items():
        for other in load_structures()[name].excludes:
            if other <= name or other not in masks:
                continue
            smaller = min(len(facts.inside), len(masks[other].inside))
            shared = len(np.intersect1d(facts.inside, masks[other].inside, assume_unique=True))
            if smaller and OVERLAP_SHARE * smaller < shared < max(len(facts.inside), len(masks[other].inside)):
                yield warning(case, f"{name} and {other} share more than {OVERLAP_SHARE:.0%} of the smaller one")
