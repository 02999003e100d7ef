"""What the training CTs of a site were like, told on its model's card; and whether a CT is like them.

::

    fewest_patients   5: no figure comes from fewer; null and "<5" stand where they would
    training_cases    number of them
    <measure>         percent ("5", "50", "95") -> value, over the training cases; see ``MEASURES``

A federation's model learnt from other sites' patients too, of which this site knows nothing: its fingerprint is this site's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from src.data.preprocessing import BODY_HU, GridGeometry
from src.privacy import FEWEST_PATIENTS, round_to_digits, shareable_count, shareable_percentiles

_PERCENTS = (5, 50, 95)
_HU_PERCENTS = (5, 50, 95)
_HIGHEST_HU = 3071  # of 12 bits; what lies beyond counts as it
_CM2_PER_MM2 = 0.01


@dataclass(frozen=True, kw_only=True)
class CtMeasure:
    """One thing measured of every CT, and how far from the training CTs is far.

    Attributes:
        says: the beginning of a sentence, with the place of value and unit.
        unit: of its values.
        factor: a value is far that is above so many times the 95 % of the training CTs, or below the 5 % divided by it.
        margin: in its unit; as far as a value may lie beyond them.
    """

    says: str
    unit: str
    factor: float = 1.0
    margin: float = 0.0

    def is_far(self, value: float, low: float, high: float) -> bool:
        """Whether a value lies far outside a range."""
        return value < low / self.factor - self.margin or value > high * self.factor + self.margin

    def sentence(self, value: float, low: float, high: float) -> str:
        """What was found, and what the model was trained on."""
        trained = " to ".join(dict.fromkeys((_number(low), _number(high))))
        return f"{self.says.format(f'{_number(value)} {self.unit}')}; the model was trained on {trained} {self.unit}"


# Wider than the distances by which the 31 validation patients of OpenKBP's six sites lie outside the fingerprint of their own
# site (11 to 28 training patients): median 31 HU, other percentiles 77 HU, cross-section 1.16 times, length 1.85 times. The
# spacings of a site hardly differ; 2 parts slices of 3 mm from those of a diagnostic series of more than 6 mm.
MEASURES = {
    "pixel_mm": CtMeasure(says="its pixels measure {}", unit="mm", factor=2),
    "slice_distance_mm": CtMeasure(says="its slices are {} apart", unit="mm", factor=2),
    "body_length_mm": CtMeasure(says="it shows {} of the body's length", unit="mm", factor=2),
    "body_cross_section_cm2": CtMeasure(says="the median of its cross-sections of the body is {}", unit="cm²", factor=1.5),
    "body_hu_5": CtMeasure(says="the 5th percentile of the body is {}", unit="HU", margin=150),
    "body_hu_50": CtMeasure(says="the median of the body is {}", unit="HU", margin=60),
    "body_hu_95": CtMeasure(says="the 95th percentile of the body is {}", unit="HU", margin=150),
}


def measure_ct(native: GridGeometry, hu_XYZ: np.ndarray, working_mm: Sequence[float]) -> dict[str, float]:
    """Measures one CT.

    Args:
        native: the CT's own grid.
        hu_XYZ: the same CT on the working grid, int16 HU, cut to the body.
        working_mm: voxel size of the working grid.

    Returns:
        Measure of ``MEASURES`` -> value. A CT without a body has none of the last four.
    """
    left, _, head = _patient_axes(native)
    tissue_XYZ = hu_XYZ > BODY_HU
    found = {
        "pixel_mm": native.spacing[left],
        "slice_distance_mm": native.spacing[head],
        "body_length_mm": hu_XYZ.shape[2] * float(working_mm[2]),
    }
    if not tissue_XYZ.any():
        return found
    voxels_Z = np.count_nonzero(tissue_XYZ, axis=(0, 1))
    pixel_cm2 = working_mm[0] * working_mm[1] * _CM2_PER_MM2
    found["body_cross_section_cm2"] = float(np.median(voxels_Z[voxels_Z > 0])) * pixel_cm2
    values = _hu_percentiles(hu_XYZ[tissue_XYZ])
    return found | {f"body_hu_{percent}": value for percent, value in zip(_HU_PERCENTS, values, strict=True)}


def make_ct_fingerprint(measured: Sequence[Mapping[str, float]]) -> dict:
    """What may be told of a site's training CTs.

    Args:
        measured: ``measure_ct`` of each; may be empty.

    Returns:
        Plain JSON types, as the docstring of this module lists them.
    """
    values = {name: [case[name] for case in measured if name in case] for name in MEASURES}
    return {
        "fewest_patients": FEWEST_PATIENTS,
        "training_cases": shareable_count(len(measured)),
        **{name: _percentiles(rows) for name, rows in values.items()},
    }


def compare_ct(fingerprint: Mapping | None, measured: Mapping[str, float]) -> list[str]:
    """In what a CT is unlike those a model was trained on.

    Args:
        fingerprint: of the model's card; None where the card has none.
        measured: ``measure_ct`` of the CT.

    Returns:
        A sentence for each measure that is far from the training CTs; none where all fit. Where the card tells nothing, one
        sentence says so: nobody then knows whether the CT fits.
    """
    told = {name: range_ for name in MEASURES if (range_ := (fingerprint or {}).get(name))}
    if not told:
        return [
            "the model's card does not tell what its training CTs were like (it is of an earlier version, of an aggregator, or "
            f"of fewer than {FEWEST_PATIENTS} patients): whether this CT is like them is not known"
        ]
    if "body_hu_50" not in measured:
        return [f"it shows no body: nothing in it is above {BODY_HU} HU"]
    return [
        MEASURES[name].sentence(measured[name], range_["5"], range_["95"])
        for name, range_ in told.items()
        if MEASURES[name].is_far(measured[name], range_["5"], range_["95"])
    ]


def _percentiles(values: Sequence[float]) -> dict[str, float] | None:
    found = shareable_percentiles(values, _PERCENTS)
    return found and {percent: round_to_digits(value, 3) for percent, value in found.items()}


def _hu_percentiles(hu: np.ndarray) -> list[float]:
    """``_HU_PERCENTS`` of whole HU above ``BODY_HU``, from a histogram: sorting the voxels of a site would take minutes."""
    cumulative = np.cumsum(np.bincount(np.minimum(hu, _HIGHEST_HU) - BODY_HU))
    ranks = np.ceil(np.array(_HU_PERCENTS) / 100 * cumulative[-1])
    return [float(BODY_HU + bin_number) for bin_number in np.searchsorted(cumulative, ranks)]


def _patient_axes(grid: GridGeometry) -> list[int]:
    """The image axis that runs along each axis of the patient: left, back, head."""
    return [int(axis) for axis in np.abs(np.reshape(grid.direction, (3, 3))).argmax(axis=1)]


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
