"""Means of a structure's scores over patients, never without the number of patients that are in them and that are not."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from src.evaluation.structure_metrics import BOTH_EMPTY, COMPARED, INVENTED, MISSED, StructureMetrics


@dataclass(frozen=True, kw_only=True)
class StructureSummary:
    """One structure over the patients of one group.

    Dice, surface Dice and volume difference are means over all patients with a voxel in either mask, a missed or invented
    organ among them; HD95 and ASSD over the ``num_compared`` patients alone. A mean over nobody is NaN.

    Attributes:
        surface_dice: None when the structure has no tolerance.
        num_compared, num_missed, num_invented, num_both_empty: patients by status.
    """

    dice: float
    surface_dice: float | None
    volume_difference_cm3: float
    hd95_mm: float
    assd_mm: float
    num_compared: int
    num_missed: int
    num_invented: int
    num_both_empty: int


def summarise_metrics(
    cases: Iterable[Mapping[str, StructureMetrics]], structures: Iterable[str]
) -> dict[str, StructureSummary]:
    """Per structure, the means over the patients.

    Args:
        cases: per patient, what was measured by structure; a structure that is not there was not contoured.
        structures: the structures to summarise, in order.
    """
    cases = list(cases)
    return {name: _summary([case[name] for case in cases if name in case]) for name in structures}


def _summary(measured: Sequence[StructureMetrics]) -> StructureSummary:
    scored = [entry for entry in measured if entry.status != BOTH_EMPTY]
    compared = [entry for entry in scored if entry.status == COMPARED]
    surface_dice = [entry.surface_dice for entry in scored if entry.surface_dice is not None]
    return StructureSummary(
        dice=_mean(entry.dice for entry in scored),
        surface_dice=_mean(surface_dice) if len(surface_dice) == len(scored) else None,
        volume_difference_cm3=_mean(entry.volume_difference_cm3 for entry in scored),
        hd95_mm=_mean(entry.hd95_mm for entry in compared),
        assd_mm=_mean(entry.assd_mm for entry in compared),
        num_compared=len(compared),
        num_missed=sum(entry.status == MISSED for entry in scored),
        num_invented=sum(entry.status == INVENTED for entry in scored),
        num_both_empty=len(measured) - len(scored),
    )


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return math.fsum(values) / len(values) if values else math.nan
