"""Every check on the images of one case: on its CT, on each mask, on the masks together, and on the masks on the CT."""

from collections.abc import Mapping

import SimpleITK as sitk

from src.case_checks.body import check_outside, find_body
from src.case_checks.border import check_border
from src.case_checks.ct import check_grid, check_hu
from src.case_checks.finding import Finding
from src.case_checks.mask_facts import MaskFacts, in_patient_axes, mask_facts
from src.case_checks.masks import check_masks
from src.case_checks.pieces import check_pieces
from src.case_checks.sides import check_sides
from src.case_checks.tissue import check_tissue
from src.case_checks.volume import check_volumes


def check_images(case: str, ct: sitk.Image, masks: Mapping[str, sitk.Image]) -> list[Finding]:
    """Everything that is wrong or odd in the images of one case.

    Args:
        case: pseudonym.
        ct: HU.
        masks: TG-263 name -> mask on the CT's grid; every voxel above 0 belongs to it.

    Returns:
        What was found, in the order of the checks; nothing of it names a patient.
    """
    return check_measured(case, ct, {name: mask_facts(mask) for name, mask in masks.items()})


def check_measured(case: str, ct: sitk.Image, masks: Mapping[str, MaskFacts]) -> list[Finding]:
    """As ``check_images``, with masks that were measured already, so that not all of them need to be in memory at once."""
    hu_findings = list(check_hu(case, ct))
    findings = [*check_grid(case, ct), *hu_findings]
    findings += check_masks(case, masks)
    findings += check_volumes(case, masks)
    findings += check_border(case, masks)
    findings += check_pieces(case, masks)
    if any(finding.severity == "refused" for finding in hu_findings):
        return findings  # its voxels are no HU; what they say of body and tissue is wrong
    ct = in_patient_axes(ct)
    body = find_body(ct)
    findings += check_sides(case, ct, body, masks)
    findings += check_outside(case, body, masks) if body else []
    findings += check_tissue(case, sitk.GetArrayViewFromImage(ct), masks)
    return findings
