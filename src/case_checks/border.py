"""Does a mask reach the edge of the image?

Towards the sides a planning CT shows all of the patient that matters, so a mask there is suspect whatever it is. Towards head
and feet every CT ends somewhere: long organs always reach that edge, and only an organ that is normally whole is named.
"""

from collections.abc import Iterator, Mapping

from src.case_checks.finding import Finding, warning
from src.case_checks.mask_facts import MaskFacts
from src.case_checks.normal_anatomy import load_normal_anatomy


def check_border(case: str, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    """Masks that touch the image's border at a side, and whole organs that its first or last slice cuts."""
    for name, facts in masks.items():
        if not facts.num_voxels:
            continue
        at_side = any(facts.box[axis].start == 0 or facts.box[axis].stop == facts.shape_ZYX[axis] for axis in (1, 2))
        if at_side:
            yield warning(case, f"{name} touches the side of the image: is the field of view too small, or the mask misplaced?")
        if facts.ends_within(1) and not load_normal_anatomy()[name].contoured_in_part:
            yield warning(case, f"{name} reaches the first or last slice: the CT may end within it")
