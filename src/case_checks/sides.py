"""Is left on the left? Judged by the partner on the other side, and by the middle of the body."""

from collections.abc import Iterator, Mapping

import SimpleITK as sitk

from src.case_checks.body import Body
from src.case_checks.finding import Finding, refused, warning
from src.case_checks.mask_facts import MaskFacts
from src.data.structures import load_structures

CLEARLY_MM = 10.0  # further across the midline than a turned or tilted head brings a paired organ


def check_sides(case: str, ct: sitk.Image, body: Body | None, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    """Partners that lie the wrong way round, and sided structures that lie clearly in the other half of the body.

    Args:
        case: pseudonym.
        ct: the CT in patient axes.
        body: the patient in it, or None where there is none; then only partners are compared.
        masks: TG-263 name -> facts.
    """
    for name, facts in masks.items():
        partner = load_structures()[name].partner
        if partner is None or facts.centroid_lps_mm is None:
            continue
        side = 1 if name.endswith("_L") else -1  # x grows to the patient's left
        other = masks.get(partner)
        both = other is not None and other.centroid_lps_mm is not None
        if both and side * (facts.centroid_lps_mm[0] - other.centroid_lps_mm[0]) < 0:
            if side > 0:
                yield refused(case, f"{name} lies to the right of {partner}: the names or the image are swapped")
            continue
        if body is not None and side * _left_of_middle_mm(ct, body, facts) < -CLEARLY_MM:
            yield warning(
                case, f"{name} lies in the {'right' if side > 0 else 'left'} half of the body: is its name of the wrong side?"
            )


def _left_of_middle_mm(ct: sitk.Image, body: Body, facts: MaskFacts) -> float:
    """How far a mask's middle lies to the left of the body's, in the slices of the mask; 0 where the body is not there."""
    column = body.middle_column(facts.box[0])
    if column is None:
        return 0.0
    index = list(ct.TransformPhysicalPointToContinuousIndex(facts.centroid_lps_mm.tolist()))
    return float(index[0] - column) * ct.GetSpacing()[0]
