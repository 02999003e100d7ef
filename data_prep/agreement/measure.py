"""What is measured of one case for its site's fingerprint; it stays at the site."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from src.case_checks.body import find_body
from src.case_checks.mask_facts import MaskFacts, in_patient_axes, mask_facts
from src.data.dataset import CaseRecord, Dataset

HU_PERCENTS = (0.5, 5, 50, 95, 99.5)
HU_RANGE = (-1024, 3071)  # of 12 bits, as scanners write them; what lies beyond counts as its end


@dataclass(frozen=True, kw_only=True)
class CaseMeasures:
    """One training case.

    Attributes:
        spacing_mm, size_voxels: in x (left), y (back), z (head).
        body_hu: HU percentiles in the body, in the order of ``HU_PERCENTS``; None where there is no body.
        contoured_hu: the same in all contoured structures together; None where they are empty.
        structure_hu: the same in each structure that is not empty.
        volume_cm3: of each structure that is not empty.
    """

    spacing_mm: tuple[float, float, float]
    size_voxels: tuple[int, int, int]
    body_hu: np.ndarray | None
    contoured_hu: np.ndarray | None
    structure_hu: dict[str, np.ndarray]
    volume_cm3: dict[str, float]


def measure_case(dataset: Dataset, record: CaseRecord) -> CaseMeasures:
    """Reads and measures one case.

    Raises:
        CaseError: a file of it is missing or unreadable.
    """
    ct = in_patient_axes(dataset.read_ct(record.name))
    facts = {name: mask_facts(dataset.read_mask(record.name, name)) for name in record.structures}
    facts = {name: fact for name, fact in facts.items() if fact.num_voxels}
    hu_ZYX = sitk.GetArrayViewFromImage(ct)
    body = find_body(ct)
    return CaseMeasures(
        spacing_mm=ct.GetSpacing(),
        size_voxels=ct.GetSize(),
        body_hu=_percentiles(hu_ZYX[:, :: body.step[0], :: body.step[1]][body.inside_ZYX]) if body else None,
        contoured_hu=_percentiles(hu_ZYX[_union(facts, hu_ZYX.shape)]) if facts else None,
        structure_hu={name: _percentiles(hu_ZYX[fact.box][fact.inside_ZYX]) for name, fact in facts.items()},
        volume_cm3={name: fact.volume_cm3 for name, fact in facts.items()},
    )


def _union(facts: Mapping[str, MaskFacts], shape_ZYX: tuple[int, ...]) -> np.ndarray:
    inside_ZYX = np.zeros(shape_ZYX, bool)
    for fact in facts.values():
        inside_ZYX[fact.box] |= fact.inside_ZYX
    return inside_ZYX


def _percentiles(hu: np.ndarray) -> np.ndarray:
    """Percentiles by a histogram of whole HU: exact for integers within ``HU_RANGE``, in memory that does not grow."""
    low, high = HU_RANGE
    counts = np.bincount(np.clip(hu, low, high).astype(np.int64) - low, minlength=high - low + 1)
    cumulative = np.cumsum(counts)
    ranks = np.ceil(np.array(HU_PERCENTS) / 100 * cumulative[-1])
    return low + np.searchsorted(cumulative, ranks).astype(float)
