"""One RTSTRUCT's ROIs -> masks on the CT's grid, and what became of each."""

from collections.abc import Iterator, MutableMapping

import SimpleITK as sitk

from data_prep.conversion.candidates import Chosen
from data_prep.conversion.outcome import RoiOutcome
from data_prep.naming.decision import NameDecision
from data_prep.rasterise.roi_mask import rasterise
from src.data.case_image import to_mask
from src.dicom.objects import Grid, Roi
from src.errors import DicomError


def convert_rois(chosen: Chosen, ct: sitk.Image, masks: MutableMapping[str, sitk.Image]) -> Iterator[RoiOutcome]:
    """What becomes of each ROI, in their order; an ROI that cannot become a right mask has none, which means "unknown".

    Args:
        chosen: the ROIs with what their names mean.
        ct: on the grid of the masks.
        masks: filled with TG-263 name -> uint8 mask, 0 or 1.
    """
    for roi, decision in zip(chosen.rois, chosen.decisions, strict=True):
        yield _convert_roi(roi, decision, chosen.stack.grid, ct, masks)


def _convert_roi(
    roi: Roi, decision: NameDecision, grid: Grid, ct: sitk.Image, masks: MutableMapping[str, sitk.Image]
) -> RoiOutcome:
    def ended(how: str, why: str, *notes: str) -> RoiOutcome:
        return RoiOutcome(native=decision.native, structure=None, decision=how, why=why, notes=(*roi.notes, *notes))

    if decision.structure is None and (roi.drawn or not decision.open):
        return ended("undecided" if decision.open else "left out", decision.why)
    if roi.damage:
        damage = f"its contours are incomplete: {'; '.join(roi.damage)}; export the RTSTRUCT again"
        return ended("refused", f"no mask of {decision.structure}: {damage}")
    if not roi.contours:
        return ended("left out", "it has no closed contours, so nobody knows where it is")
    try:
        rasterised = rasterise(roi, grid)
    except DicomError as error:
        return ended("refused", f"no mask of {decision.structure}: {error}")
    masks[decision.structure] = to_mask(rasterised.mask_ZYX, ct)
    return RoiOutcome(
        native=decision.native,
        structure=decision.structure,
        decision="converted",
        why=decision.why,
        volume_cm3=round(rasterised.mask_cm3, 4),
        notes=(*roi.notes, *rasterised.notes),
    )
