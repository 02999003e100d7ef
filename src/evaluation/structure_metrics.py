"""Every measure of one structure in one patient, and what it means when a mask is empty.

The rule, here and nowhere else:

* truth not contoured: unknown; ``measure`` is not called, and the case counts neither as scored nor as missed
* both masks empty, ``BOTH_EMPTY``: a true absence; every score is NaN, and it is counted apart
* prediction empty, ``MISSED``: Dice and surface Dice 0; HD95 and ASSD are NaN, and it is counted apart
* truth empty, ``INVENTED``: the same; the relative volume difference is NaN too

HD95 and ASSD of a missed organ are NaN with a count because no number is right: infinity would make every mean infinite by
one gland, and the diagonal of the scan measures how far the patient was scanned, not the contour, so that two hospitals
would pay differently for one mistake. What a missed organ costs stands in its Dice and surface Dice, and ``structure_summary``
never gives a mean distance without the number of organs that are not in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.evaluation.dice import dice_from_counts
from src.evaluation.hausdorff import assd_mm, hausdorff_mm
from src.evaluation.mask_pair import MaskPair, pair_masks
from src.evaluation.surface import surface_distances
from src.evaluation.surface_dice import check_tolerance, surface_dice
from src.evaluation.volume import pred_cm3, relative_volume_difference, truth_cm3, volume_difference_cm3

COMPARED, MISSED, INVENTED, BOTH_EMPTY = "compared", "missed", "invented", "both empty"
STATUSES = (COMPARED, MISSED, INVENTED, BOTH_EMPTY)


@dataclass(frozen=True, kw_only=True)
class StructureMetrics:
    """What one structure of one patient scored.

    Attributes:
        dice: overlap, 0 to 1.
        hd95_mm: larger of the two directed 95th percentiles of the distances between surface voxels.
        assd_mm: mean distance between surface voxels, both directions together.
        surface_dice: share of the surfaces' area within ``tolerance_mm``, 0 to 1; None without a tolerance.
        tolerance_mm: the structure's own, from plan/structures.yaml; None where no source gives one.
        volume_difference_cm3: prediction minus truth.
        relative_volume_difference: the same as a share of the truth.
        pred_cm3, truth_cm3: the volumes; always numbers.
        status: of ``STATUSES``; only with ``COMPARED`` are all scores numbers.
    """

    dice: float
    hd95_mm: float
    assd_mm: float
    surface_dice: float | None
    tolerance_mm: float | None
    volume_difference_cm3: float
    relative_volume_difference: float
    pred_cm3: float
    truth_cm3: float
    status: str


def measure(
    pred_XYZ: np.ndarray, truth_XYZ: np.ndarray, spacing_mm: Sequence[float], tolerance_mm: float | None
) -> StructureMetrics:
    """Compares a prediction with a contoured truth on the CT's own grid; empty masks as at the top of this file.

    Args:
        pred_XYZ, truth_XYZ: bool (X, Y, Z), or integers that are 0 and 1 alone.
        spacing_mm: of the grid, in the order of its axes.
        tolerance_mm: for surface Dice, or None for none.

    Raises:
        MetricInputError: the masks cannot be compared, or the spacing or the tolerance is none.
    """
    if tolerance_mm is not None:
        check_tolerance(tolerance_mm)
    pair = pair_masks(pred_XYZ, truth_XYZ, spacing_mm)
    status = _status(pair)
    distances = surface_distances(pair) if status == COMPARED else None
    return StructureMetrics(
        dice=dice_from_counts(int(np.count_nonzero(pair.pred_XYZ & pair.truth_XYZ)), pair.pred_voxels, pair.truth_voxels),
        hd95_mm=hausdorff_mm(distances) if distances else math.nan,
        assd_mm=assd_mm(distances) if distances else math.nan,
        surface_dice=None if tolerance_mm is None else _surface_dice(pair, status, tolerance_mm),
        tolerance_mm=tolerance_mm,
        volume_difference_cm3=math.nan if status == BOTH_EMPTY else volume_difference_cm3(pair),
        relative_volume_difference=relative_volume_difference(pair),
        pred_cm3=pred_cm3(pair),
        truth_cm3=truth_cm3(pair),
        status=status,
    )


def _status(pair: MaskPair) -> str:
    if pair.pred_voxels and pair.truth_voxels:
        return COMPARED
    if pair.truth_voxels:
        return MISSED
    return INVENTED if pair.pred_voxels else BOTH_EMPTY


def _surface_dice(pair: MaskPair, status: str, tolerance_mm: float) -> float:
    if status == BOTH_EMPTY:
        return math.nan
    return surface_dice(pair, tolerance_mm) if status == COMPARED else 0.0
