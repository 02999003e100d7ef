"""Is an organ as large as organs are?"""

from collections.abc import Iterator, Mapping

from src.case_checks.finding import Finding, warning
from src.case_checks.mask_facts import MaskFacts
from src.case_checks.normal_anatomy import load_normal_anatomy

CUT_SLICES = 2  # of the end of the CT; many planning systems leave its outermost slice without contours


def check_volumes(case: str, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    """Volumes outside an adult's normal range; the lower limit does not count where the CT ends within the organ."""
    for name, facts in masks.items():
        if not facts.num_voxels:
            continue
        least, most = load_normal_anatomy()[name].volume_cm3
        if most is not None and facts.volume_cm3 > most:
            yield warning(case, f"{name} is larger than {most:g} cm3, beyond normal adults: look at its contours")
        elif least is not None and facts.volume_cm3 < least and not facts.ends_within(CUT_SLICES):
            yield warning(case, f"{name} is smaller than {least:g} cm3, below normal adults: look at its contours")
