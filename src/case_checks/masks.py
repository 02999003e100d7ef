"""Are the masks of one case plausible as files? Empty, tiny, huge, twice the same, impossible overlaps."""

from collections.abc import Iterator, Mapping
from hashlib import sha256

from src.case_checks.finding import Finding, refused, warning
from src.case_checks.mask_facts import MaskFacts, shared_voxels
from src.data.structures import load_structures

TINY_VOXELS = 5
HUGE_SHARE = 0.5
OVERLAP_SHARE = 0.1  # of the smaller of two masks; less is a seam between neighbours


def check_masks(case: str, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    """All findings on the masks of one case, TG-263 name -> facts."""
    for name, facts in masks.items():
        if not facts.num_voxels:
            yield warning(case, f"the mask of {name} is empty: recorded as looked for and not present")
        elif facts.num_voxels < TINY_VOXELS:
            yield warning(case, f"the mask of {name} has fewer than {TINY_VOXELS} voxels")
        elif facts.share > HUGE_SHARE:
            yield refused(case, f"the mask of {name} fills more than half of the volume: inverted?")
    yield from _check_duplicates(case, masks)
    yield from _check_overlaps(case, masks)


def _check_duplicates(case: str, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    first: dict[tuple, str] = {}
    for name, facts in masks.items():
        if facts.num_voxels:
            place = tuple((part.start, part.stop) for part in facts.box)
            owner = first.setdefault((place, sha256(facts.inside_ZYX.tobytes()).hexdigest()), name)
            if owner != name:
                yield refused(case, f"{owner} and {name} are the same voxels: one file was exported twice")


def _check_overlaps(case: str, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    for name, facts in masks.items():
        for other in load_structures()[name].excludes:
            if other <= name or other not in masks:
                continue
            sizes = (facts.num_voxels, masks[other].num_voxels)
            if min(sizes) and OVERLAP_SHARE * min(sizes) < shared_voxels(facts, masks[other]) < max(sizes):
                yield warning(case, f"{name} and {other} share more than {OVERLAP_SHARE:.0%} of the smaller one")
