"""One number of the evidence: how well one model drew one structure of one patient."""

import math
from dataclasses import dataclass

from src.errors import OarError


class ScoreTableError(OarError):
    """Scores that do not make a study: they contradict each other, or the schemes were scored on different patients."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score such as Dice; higher is better.

    Attributes:
        scheme: how the model was trained, such as ``fedavg``.
        seed: of the run.
        model_site: the site whose model it is; None for a model that all sites share.
        patient: pseudonym, unique within ``patient_site``.
        patient_site: the site whose patient it is.
        structure: TG-263 name.
        value: the score; NaN is a true absence (both masks empty). A structure that is not contoured has no score at all.

    Raises:
        ScoreTableError: the value is infinite.
    """

    scheme: str
    seed: int
    model_site: str | None
    patient: str
    patient_site: str
    structure: str
    value: float

    def __post_init__(self) -> None:
        if math.isinf(self.value):
            raise ScoreTableError(
                f"expected a finite score or NaN for {self.structure} of {self.patient_site}/{self.patient}, found"
                f" {self.value}; count infinite distances apart and leave them out"
            )
