"""A site's fingerprint: what the others need to know to agree on one preprocessing, and nothing of one patient.

::

    fingerprint_version  1
    tool, anatomy, site
    fewest_patients      5: no figure comes from fewer; null and "<5" stand where they would
    cases                split -> number of cases
    spacing_mm           x, y, z -> percent -> millimetres       } of the training cases,
    size_voxels          x, y, z -> percent -> voxels            } x to the left, z to the head
    hu                   "contoured", "body" -> percent -> HU, mean over the training cases of their percentiles
    structures           TG-263 name -> cases (split -> number), hu (as above), volume_cm3 (percent -> cm3)

No case name, no date, no path, no UID, no free text of the site.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from data_prep.agreement.measure import HU_PERCENTS, CaseMeasures
from data_prep.count_table import count_structures
from src.data.dataset import SPLITS, TOOL, Dataset
from src.privacy import (
    FEWEST_PATIENTS,
    round_to_digits,
    shareable_count,
    shareable_mean,
    shareable_percentiles,
)

FINGERPRINT_VERSION = 1
GRID_PERCENTS = (5, 25, 50, 75, 95)
VOLUME_PERCENTS = (25, 50, 75)


def make_fingerprint(dataset: Dataset, measures: Sequence[CaseMeasures]) -> dict:
    """What a site may tell.

    Args:
        dataset: the site's dataset; counts come from its records.
        measures: of its training cases.

    Returns:
        Plain JSON types, as the docstring of this module lists them.
    """
    spacings, sizes = ([getattr(case, name) for case in measures] for name in ("spacing_mm", "size_voxels"))
    return {
        "fingerprint_version": FINGERPRINT_VERSION,
        "tool": TOOL,
        "anatomy": dataset.anatomy,
        "site": dataset.site,
        "fewest_patients": FEWEST_PATIENTS,
        "cases": _counts(Counter(record.split for record in dataset.cases.values())),
        "spacing_mm": {axis: _grid([row[number] for row in spacings], 2) for number, axis in enumerate("xyz")},
        "size_voxels": {axis: _grid([row[number] for row in sizes], 0) for number, axis in enumerate("xyz")},
        "hu": {
            "contoured": _mean_hu(case.contoured_hu for case in measures),
            "body": _mean_hu(case.body_hu for case in measures),
        },
        "structures": {
            name: {
                "cases": _counts(counts),
                "hu": _mean_hu(case.structure_hu.get(name) for case in measures),
                "volume_cm3": _volumes([case.volume_cm3[name] for case in measures if name in case.volume_cm3]),
            }
            for name, counts in count_structures(dataset).items()
        },
    }


def _counts(counts: Counter) -> dict[str, int | str]:
    return {split: shareable_count(counts[split]) for split in SPLITS}


def _grid(values: Sequence[float], decimals: int) -> dict[str, float] | None:
    found = shareable_percentiles(values, GRID_PERCENTS)
    return found and {percent: round(value, decimals or None) for percent, value in found.items()}


def _volumes(values: Sequence[float]) -> dict[str, float] | None:
    found = shareable_percentiles(values, VOLUME_PERCENTS)
    return found and {percent: round_to_digits(value) for percent, value in found.items()}


def _mean_hu(percentiles: Iterable[np.ndarray | None]) -> dict[str, int] | None:
    rows = [row for row in percentiles if row is not None]
    means = [shareable_mean([row[number] for row in rows]) for number in range(len(HU_PERCENTS))]
    if None in means:
        return None
    return {f"{percent:g}": round(mean) for percent, mean in zip(HU_PERCENTS, means, strict=True)}
