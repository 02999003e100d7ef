"""What a person should look at before contours are used: the checks of a site's own contours, asked of predicted ones."""

from collections.abc import Mapping

import SimpleITK as sitk

from src.case_checks.body import check_outside, find_body
from src.case_checks.border import check_border
from src.case_checks.ct import check_grid, check_hu
from src.case_checks.finding import Finding
from src.case_checks.mask_facts import MaskFacts, in_patient_axes
from src.case_checks.masks import check_masks
from src.case_checks.pieces import check_pieces
from src.case_checks.sides import check_sides
from src.case_checks.tissue import check_tissue
from src.case_checks.volume import check_volumes
from src.errors import CaseError

FIRST = "do not use before looking at it: "


def refuse_no_ct(label: str, image: sitk.Image) -> None:
    """Refuses what holds no HU: whatever a network draws on it is wrong.

    Raises:
        CaseError: says why.
    """
    if wrong := [finding.what for finding in check_hu(label, image) if finding.severity == "refused"]:
        raise CaseError(label, "; ".join(wrong))


def find_warnings(label: str, image: sitk.Image, masks: Mapping[str, MaskFacts]) -> list[str]:
    """Everything odd in predicted structures and in their CT.

    Args:
        label: of the CT.
        image: its HU.
        masks: TG-263 name -> predicted mask.

    Returns:
        Sentences, each once; what cannot be right comes first and begins with ``FIRST``.
    """
    there = {name: facts for name, facts in masks.items() if facts.num_voxels}
    image_findings = [*check_grid(label, image), *check_hu(label, image)]
    ct = in_patient_axes(image)
    body = find_body(ct)
    findings: list[Finding] = [*check_masks(label, there), *check_sides(label, ct, body, there), *image_findings]
    findings += check_volumes(label, there)
    findings += check_border(label, there)
    findings += check_pieces(label, there)
    findings += check_outside(label, body, there) if body else []
    findings += check_tissue(label, sitk.GetArrayViewFromImage(ct), there)
    wrong = [FIRST + finding.what for finding in findings if finding.severity == "refused"]
    odd = [finding.what for finding in findings if finding.severity == "warning"]
    empty = [f"{name} was not found: is it in the CT?" for name, facts in masks.items() if not facts.num_voxels]
    return list(dict.fromkeys([*wrong, *empty, *odd]))
