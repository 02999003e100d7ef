"""One line of a score file: every measure of one structure, as one model drew it in one patient."""

import math
from dataclasses import dataclass

from experiments.scoring.listed_models import WHICH
from experiments.statistics.score import Score
from src.data.structures import load_structures
from src.errors import OarError
from src.evaluation.structure_metrics import BOTH_EMPTY, COMPARED, INVENTED, MISSED, STATUSES

# As a score, higher is better: distances and differences in volume count with a minus.
METRICS = ("dice", "hd95_mm", "surface_dice", "relative_volume_difference")
_DISTANCES = ("hd95_mm", "assd_mm")


class ScoreFileError(OarError):
    """Score files that cannot be read, contradict themselves, or hold a score twice."""


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """What stands in a line; None is a number that does not exist, see ``src.evaluation.structure_metrics``.

    Attributes:
        arm, seed, which, model_site: of the model; ``model_site`` is None when all sites share it.
        patient_site, patient, structure: what was drawn.
        status: of ``STATUSES``.
        dice, hd95_mm, assd_mm, surface_dice, tolerance_mm, volume_difference_cm3, relative_volume_difference, pred_cm3,
            truth_cm3: as in ``StructureMetrics``.

    Raises:
        ScoreFileError: a value is of another kind or out of its range, or the status does not fit the numbers.
    """

    arm: str
    seed: int
    which: str
    model_site: str | None
    patient_site: str
    patient: str
    structure: str
    status: str
    dice: float | None
    hd95_mm: float | None
    assd_mm: float | None
    surface_dice: float | None
    tolerance_mm: float | None
    volume_difference_cm3: float | None
    relative_volume_difference: float | None
    pred_cm3: float
    truth_cm3: float

    def __post_init__(self) -> None:
        self._check_names()
        self._check_ranges()
        self._check_volumes()
        self._check_status()

    @property
    def key(self) -> tuple:
        """What there may be one row of."""
        return self.arm, self.seed, self.which, self.model_site or "", self.patient_site, self.patient, self.structure

    def _check_names(self) -> None:
        names = [self.arm, self.patient_site, self.patient, *([] if self.model_site is None else [self.model_site])]
        self._expect(all(isinstance(name, str) and name for name in names), "arm, sites and patient to be words")
        self._expect(type(self.seed) is int and self.seed >= 0, "a seed of 0 or more")
        self._expect(self.which in WHICH, f"which of {', '.join(WHICH)}")
        self._expect(isinstance(self.structure, str) and self.structure in load_structures(), "a structure of the table")
        self._expect(self.status in STATUSES, f"a status of {', '.join(STATUSES)}")

    def _check_ranges(self) -> None:
        for name, low, high in (
            *(("dice", 0.0, 1.0), ("surface_dice", 0.0, 1.0), ("tolerance_mm", 0.0, math.inf)),
            *((name, 0.0, math.inf) for name in _DISTANCES),
            *(("volume_difference_cm3", -math.inf, math.inf), ("relative_volume_difference", -1.0, math.inf)),
            *(("pred_cm3", 0.0, math.inf), ("truth_cm3", 0.0, math.inf)),
        ):
            value = getattr(self, name)
            fits = value is None or (type(value) in (int, float) and math.isfinite(value) and low <= value <= high)
            self._expect(fits, f"{name} from {low:g} to {high:g}, or null")
        self._expect(None not in (self.pred_cm3, self.truth_cm3), "both volumes")

    def _check_volumes(self) -> None:
        expected = {COMPARED: (True, True), MISSED: (False, True), INVENTED: (True, False), BOTH_EMPTY: (False, False)}
        self._expect((self.pred_cm3 > 0, self.truth_cm3 > 0) == expected[self.status], f"volumes of '{self.status}'")
        difference, relative = self.volume_difference_cm3, self.relative_volume_difference
        self._expect((difference is None) == (self.status == BOTH_EMPTY), f"a volume difference that fits '{self.status}'")
        self._expect((relative is None) == (self.truth_cm3 == 0), "a relative volume difference where the truth has a volume")
        if difference is not None:
            largest = 1e-6 * max(self.pred_cm3, self.truth_cm3)
            self._expect(abs(self.pred_cm3 - self.truth_cm3 - difference) <= largest, "the difference of both volumes")
        if relative is not None:
            largest = 1e-6 * max(1.0, abs(relative))
            self._expect(abs(relative - difference / self.truth_cm3) <= largest, "the difference as a share of the truth")

    def _check_status(self) -> None:
        compared = self.status == COMPARED
        for name in _DISTANCES:
            self._expect((getattr(self, name) is not None) == compared, f"{name} only where both masks have voxels")
        self._expect(self.tolerance_mm is not None or self.surface_dice is None, "no surface_dice without a tolerance")
        overlaps = [("dice", self.dice), *([] if self.tolerance_mm is None else [("surface_dice", self.surface_dice)])]
        for name, value in overlaps:
            self._expect((value is None) == (self.status == BOTH_EMPTY), f"{name} that fits '{self.status}'")
            self._expect(value is None or compared or value == 0, f"{name} 0 where one mask alone is empty")

    def _expect(self, fits: bool, what: str) -> None:
        if not fits:
            raise ScoreFileError(f"expected {what}, found {vars(self)}; score the run again")


def as_score(row: ScoreRow, metric: str) -> Score:
    """A row's number as the statistics take it: higher is better, NaN where there is none, the arm as scheme.

    Args:
        row: from ``read_scores``.
        metric: of ``METRICS``; distances, and volume differences by their size, count with a minus.

    Raises:
        ScoreFileError: another metric.
    """
    if metric not in METRICS:
        raise ScoreFileError(f"expected a metric of {', '.join(METRICS)}, found '{metric}'")
    value = getattr(row, metric)
    if value is not None and metric == "hd95_mm":
        value = -value
    elif value is not None and metric == "relative_volume_difference":
        value = -abs(value)
    return score_of(row, value)


def score_of(row: ScoreRow, value: float | None) -> Score:
    """A number of a row with whose it is, the arm as scheme; NaN where there is none."""
    return Score(
        scheme=row.arm,
        seed=row.seed,
        model_site=row.model_site,
        patient=row.patient,
        patient_site=row.patient_site,
        structure=row.structure,
        value=math.nan if value is None else float(value),
    )
